//! Lists the known bugs: name, fuzz target that must find it, source.

use pop3_simulation::known_bugs;

fn main() {
    for bug in known_bugs::ALL {
        println!("{}\tfetch\t{}", bug.name, bug.source);
    }
}
