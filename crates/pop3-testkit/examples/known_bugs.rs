//! Lists the known bugs: name, fuzz target that must find it, source.

use pop3_testkit::known_bugs;

fn main() {
    for bug in known_bugs::all() {
        println!("{}\t{}\t{}", bug.name, bug.target(), bug.source);
    }
}
