//! Lists the known bugs: name, fuzz target that must find it, source.

fn main() {
    #[cfg(unix)]
    for bug in pop3_simulation::known_bugs::ALL {
        println!("{}\tfetch\t{}", bug.name, bug.source);
    }
}
