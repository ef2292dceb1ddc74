//! The table of statements compared with the document.

use std::collections::BTreeSet;

use pop3_conformance::{
    Id, Kind, Party, Release, Releases, Section, Strength, statement, statements,
};
use pop3_proto::{AfterSync, Profile};

#[test]
fn has_the_56_ids_once_and_in_order() {
    let of = |kind| {
        let ids = statements().iter().map(|row| row.id());
        ids.filter(|id| id.kind() == kind).collect::<Vec<Id>>()
    };
    assert_eq!(
        of(Kind::Clarification),
        (1..=48).map(Id::C).collect::<Vec<_>>()
    );
    assert_eq!(
        of(Kind::Variability),
        (1..=8).map(Id::V).collect::<Vec<_>>()
    );
    assert_eq!(statements().len(), 56);
}

#[test]
fn statements_are_found_by_id() {
    for row in statements() {
        assert_eq!(statement(row.id()), Some(row));
        assert_eq!(row.id().to_string().parse(), Ok(row.id()));
    }
    for none in [Id::C(0), Id::C(49), Id::V(0), Id::V(9)] {
        assert_eq!(statement(none), None);
    }
    for text in [
        "", "C", "C17", "C00017", "c+017", "E0001", "§0017", "C0017 ",
    ] {
        assert!(text.parse::<Id>().is_err(), "{text}");
    }
}

#[test]
fn the_points_of_variability_are_in_the_sections_of_the_document() {
    let ids: Vec<Id> = statements().iter().map(|row| row.id()).collect();
    for (variability, follows) in [
        (1, Id::C(5)),
        (2, Id::C(6)),
        (3, Id::C(17)),
        (4, Id::C(21)),
        (5, Id::V(4)),
        (6, Id::C(29)),
        (7, Id::C(34)),
        (8, Id::C(47)),
    ] {
        let at = ids.iter().position(|&id| id == Id::V(variability)).unwrap();
        assert_eq!(ids[at - 1], follows, "V000{variability}");
    }
}

#[test]
fn sections_are_in_order_and_as_long_as_in_the_document() {
    assert!(statements().is_sorted_by_key(|row| row.section()));
    let held = Section::ALL.map(|section| {
        let of_section = statements().iter().filter(|row| row.section() == section);
        of_section.count()
    });
    assert_eq!(held, [9, 4, 1, 2, 3, 5, 4, 3, 3, 1, 1, 1, 3, 8, 4, 2, 1, 1]);
    let rfc1939 = Section::ALL.map(Section::rfc1939);
    assert_eq!(
        rfc1939,
        [3, 4, 4, 5, 5, 5, 5, 5, 5, 5, 6, 7, 7, 7, 7, 7, 7, 8]
    );
    let numbers = Section::ALL.map(|section| section.to_string());
    assert_eq!((&*numbers[0], &*numbers[17]), ("2.2.1", "2.2.18"));
}

#[test]
fn only_five_statements_leave_out_the_new_release() {
    let five = [10, 38, 39, 40, 41].map(Id::C);
    for row in statements() {
        let expected = if five.contains(&row.id()) {
            Releases::NUMBERED
        } else {
            Releases::ALL
        };
        assert_eq!(row.releases(), expected, "{row}");
        for release in Release::ALL {
            let is_named = expected.contains(release);
            assert_eq!(row.for_release(release).is_some(), is_named, "{row}");
        }
    }
    assert!(
        Releases::NUMBERED
            .iter()
            .eq(Release::ALL.into_iter().take(7))
    );
}

#[test]
fn every_profile_but_that_of_the_rfc_is_a_release() {
    let profiles = Release::ALL.map(Release::profile);
    assert_eq!(profiles, Profile::ALL[1..]);
    let releases = Profile::ALL.iter().filter_map(Release::of);
    assert!(releases.eq(Release::ALL));
    for release in Release::ALL {
        let name = format!("outlook-{release}");
        assert_eq!(Profile::by_name(&name), Some(release.profile()));
    }
}

/// The profiles exclude the same releases as the table, and agree with it on
/// retention.
#[test]
fn profiles_and_table_agree() {
    for release in Release::ALL {
        let profile = release.profile();
        for row in statements() {
            let is_named = profile.is_named_in(&row.id().to_string());
            assert_eq!(
                row.releases().contains(release),
                is_named,
                "{release}: {row}"
            );
        }
        for id in profile.unnamed_in {
            assert!(id.parse().is_ok_and(|id| statement(id).is_some()), "{id}");
        }
        let retention = statement(Id::C(48)).unwrap().for_release(release).unwrap();
        let deletes = profile.after_sync == AfterSync::Delete;
        assert_eq!(retention.contains("deletes"), deletes, "{release}");
    }
}

#[test]
fn only_retention_has_two_groups_of_releases() {
    for row in statements().iter().filter(|row| row.clauses().len() != 1) {
        assert_eq!(row.id(), Id::C(48));
        let groups: Vec<String> = row
            .clauses()
            .iter()
            .map(|part| part.releases().to_string())
            .collect();
        assert_eq!(groups, ["2007, 2010, 2013, 2016", "2019, 2021, 2024, new"]);
        assert!(row.clauses()[0].line().contains("deletes"));
        assert!(row.clauses()[1].line().contains("leaves"));
    }
    assert_eq!(statement(Id::C(48)).unwrap().clauses().len(), 2);
}

/// The parties that must comply, and how strictly: everything except a MUST for
/// the client.
#[test]
fn parties_and_strengths_are_those_of_the_document() {
    let ids = |wanted: &dyn Fn(&pop3_conformance::Statement) -> bool| {
        let rows = statements().iter().filter(|row| wanted(row));
        rows.map(|row| row.id()).collect::<Vec<Id>>()
    };
    let c = |numbers: &[u16]| numbers.iter().copied().map(Id::C).collect::<Vec<Id>>();
    assert_eq!(ids(&|row| row.party() == Party::Both), c(&[10]));
    assert_eq!(
        ids(&|row| row.party() == Party::Server),
        c(&[
            2, 5, 6, 9, 11, 14, 17, 19, 20, 21, 22, 23, 26, 29, 31, 34, 36, 37, 38, 39, 40
        ])
    );
    let strength = |strength| ids(&|row| row.strength() == strength);
    assert_eq!(strength(Strength::MustNot), c(&[12, 15, 27, 30]));
    assert_eq!(strength(Strength::ShouldNot), c(&[40]));
    let should = [16, 18, 25, 28, 33, 35, 41, 43, 45, 47].map(Id::C);
    let mut should = BTreeSet::from(should);
    should.insert(Id::V(5));
    assert_eq!(BTreeSet::from_iter(strength(Strength::Should)), should);
    assert_eq!(strength(Strength::May), [Id::V(3), Id::V(7)]);
    let facts = [
        Id::V(1),
        Id::C(10),
        Id::C(13),
        Id::V(6),
        Id::V(8),
        Id::C(48),
    ];
    assert_eq!(strength(Strength::Fact), facts);

    let second = |strength| ids(&|row| row.strengths().get(1) == Some(&strength));
    assert_eq!(second(Strength::May), c(&[17, 21, 38]));
    let facts_too = BTreeSet::from_iter(second(Strength::Fact));
    let mut expected = BTreeSet::from([2, 5, 6, 9, 14, 19, 36, 41].map(Id::C));
    expected.extend([2, 3, 7].map(Id::V));
    assert_eq!(facts_too, expected);
    assert!(statements().iter().all(|row| row.strengths().len() <= 2));
}

#[test]
fn each_line_is_one_sentence_and_shown_with_id_section_and_party() {
    let mut seen = BTreeSet::new();
    for row in statements() {
        for clause in row.clauses() {
            let line = clause.line();
            assert!(line.ends_with('.') && !line.contains(['\n', '|']), "{line}");
            assert!(seen.insert(line), "twice: {line}");
        }
        let shown = row.to_string();
        assert!(shown.starts_with(&format!(
            "{} ({}, {}, ",
            row.id(),
            row.section(),
            row.party()
        )));
        assert!(!shown.contains('\n'), "{shown}");
    }
    assert_eq!(
        statement(Id::C(48)).unwrap().to_string(),
        "C0048 (2.2.18, client, fact): \
         [2007, 2010, 2013, 2016] Unless told otherwise, the client deletes mail from the server \
         once it has synchronized. \
         [2019, 2021, 2024, new] Unless told otherwise, the client leaves mail on the server once \
         it has synchronized."
    );
}
