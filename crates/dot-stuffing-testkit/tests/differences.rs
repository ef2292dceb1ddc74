//! The search for differences finds each known bug, explains it with a short input, and
//! finds none in a sound codec.

use dot_stuffing_testkit::{
    check,
    differences::{self, Difference},
    known_bugs::{self, Role},
    view,
};

fn of(role: &Role) -> Vec<Difference> {
    match role {
        Role::Decoder(bug) => differences::decode(&**bug),
        Role::Encoder(bug) => differences::encode(&**bug),
        Role::LineSplitter(bug) => differences::split_lines(&**bug),
    }
}

#[test]
fn finds_every_known_bug() {
    for bug in known_bugs::all() {
        println!("{}", bug.name);
        let differences = of(&bug.role);
        for difference in &differences {
            println!("- {difference}");
        }
        assert!(!differences.is_empty(), "{}", bug.name);
    }
}

#[test]
fn finds_nothing_in_our_codec() {
    let [.., decoder] = view::decoders() else {
        panic!("there are views");
    };
    check::decode(*decoder);
    for encoder in view::encoders() {
        check::encode(*encoder);
    }
    for splitter in view::line_splitters() {
        check::split_lines(*splitter);
    }
}
