//! Lists the mutants: name, fuzz target that must find it, source.

use pop3_testkit::mutants;

fn main() {
    for mutant in mutants::all() {
        println!("{}\t{}\t{}", mutant.name, mutant.target(), mutant.source);
    }
}
