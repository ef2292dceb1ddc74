use std::time::Duration;

use pop3_proto::EqualUniqueIds;

use super::{Afterwards, Orders, Wishes};
use crate::Spelling;
use world::{World, text};

mod world;

const ORDERS: Orders = Orders {
    wishes: Wishes {
        equal_unique_ids: EqualUniqueIds::Apart,
        afterwards: Afterwards::Keep,
        delete_imported: false,
        limit: usize::MAX,
        max_octets: u64::MAX,
        now: 1_000_000,
    },
    dry_run: false,
    catch_up: false,
    any_size: false,
    without_unique_id: false,
};

const SHORT: (&str, &str) = ("RETR 3", "+OK\r\nshort\r\n.\r\n");

const DELETE: Orders = Orders {
    wishes: Wishes {
        afterwards: Afterwards::Delete,
        ..ORDERS.wishes
    },
    ..ORDERS
};

const CATCH_UP: Orders = Orders {
    catch_up: true,
    ..DELETE
};

const DELETE_IMPORTED: Orders = Orders {
    wishes: Wishes {
        delete_imported: true,
        ..DELETE.wishes
    },
    ..ORDERS
};

#[test]
fn catches_up_without_delivering_or_deleting() {
    let mut world = World::new(3, 1);
    world.fetch(ORDERS, "U S.. L. R1. S. R2. R3. S. Q.", &[], "3 delivered");
    world.there.extend([4, 5]);
    let limited = Orders {
        wishes: Wishes {
            limit: 1,
            max_octets: 0,
            ..CATCH_UP.wishes
        },
        ..CATCH_UP
    };
    world.fetch(limited, "U S.. L. Q.", &[], "2 caught up, 3 held");
    assert_eq!(world.there, [1, 2, 3, 4, 5]);
    world.there.push(6);
    world.fetch(ORDERS, "U S.. L. R6. S. Q.", &[], "1 delivered, 5 held");
    assert_eq!(world.stored(), [1, 2, 3, 6]);
}

#[test]
fn deletes_what_was_only_seen_if_that_is_asked_for() {
    for caught_up in [true, false] {
        let mut world = World::new(3, 1);
        match caught_up {
            true => _ = world.fetch(CATCH_UP, "U S.. L. Q.", &[], "3 caught up"),
            false => world.see(&["id1", "id2", "id3"], Spelling::Exact),
        }
        let later = Orders {
            wishes: Wishes {
                afterwards: Afterwards::DeleteAfter(0),
                ..DELETE.wishes
            },
            ..DELETE
        };
        for orders in [ORDERS, DELETE, later] {
            world.fetch(orders, "U S.. Q.", &[], "3 held");
        }
        world.there.push(4);
        let sent = "U S.. L. R4. S. D4. Q.";
        world.fetch(DELETE, sent, &[], "1 delivered, 1 deleted, 3 held");
        let sent = "U S.. L. D3. D2. D1. Q.";
        world.fetch(DELETE_IMPORTED, sent, &[], "3 deleted, 3 held");
        assert!(world.there.is_empty() && world.stored() == [4]);
    }
}

/// The size is unknown until LIST gives it; from then on another message with the
/// unique-id is not taken for the one that was seen.
#[test]
fn does_not_delete_another_message_than_the_one_that_was_seen() {
    let mut world = World::new(2, 1);
    world.see(&["id1"], Spelling::Exact);
    world.fetch(ORDERS, "U S.. L. R2. S. Q.", &[], "1 delivered, 1 held");
    let other = "+OK\r\n1 1\r\n2 1\r\n.\r\n";
    world = world.odd(&[("LIST", other)]);
    let (sent, counts) = ("U S.. L. Q.", "2 held, 2 changed");
    world.fetch(DELETE_IMPORTED, sent, &["size has changed"], counts);
}

/// The server may have deleted the message and given its unique-id to another one.
#[test]
fn completes_the_deletion_of_a_seen_message_only_if_the_size_is_the_same() {
    let mut world = World::new(1, 1).odd(&[("QUIT", "-ERR no\r\n")]);
    world.see(&["id1"], Spelling::Exact);
    let sent = "U S.. L. D1. Q.";
    world.fetch(DELETE_IMPORTED, sent, &["refuses QUIT"], "1 held");
    world.there = vec![1];
    let list = "+OK\r\n1 40\r\n.\r\n";
    let mail = format!("+OK\r\n{}\r\n.\r\n", "x".repeat(38));
    world = world.odd(&[("LIST", list), ("RETR 1", &mail)]);
    world.fetch(ORDERS, "U S.. L. R1. S. Q.", &[], "1 delivered");
}

#[test]
fn recognizes_unique_ids_in_which_getmail_replaced_slashes() {
    let mut world = World::new(1, 1);
    world.see(&["a-1-x", "a-2", "gone-3", "b"], Spelling::SlashesAsDashes);
    // Without any of these dashes, the spelling stays open.
    world = world.odd(&[("UIDL", "+OK\r\n1 b\r\n.\r\n")]);
    world.fetch(ORDERS, "U S.. Q.", &[], "1 held");
    let listed = "+OK\r\n1 a/1/x\r\n2 a-2\r\n3 a/2\r\n4 a-4\r\n.\r\n";
    world.there = vec![1, 2, 3, 4];
    let sent = "U S.. L. R3. S. R4. S. Q.";
    world = world.odd(&[("UIDL", listed)]);
    world.fetch(ORDERS, sent, &[], "2 delivered, 2 held");
    // The spelling is known from now on.
    let listed = "+OK\r\n1 a/1/x\r\n2 gone/3\r\n.\r\n";
    world.there = vec![1, 2];
    world = world.odd(&[("UIDL", listed)]);
    world.fetch(ORDERS, "U S.. L. R2. S. Q.", &[], "1 delivered, 1 held");
}

#[test]
fn warns_of_large_messages_weekly_and_when_there_are_more() {
    const DAY: i64 = 24 * 60 * 60;
    let octets = text(3).len() as u64;
    let limited = |max_octets, days: i64| Orders {
        wishes: Wishes {
            max_octets,
            now: ORDERS.wishes.now + days * DAY,
            ..ORDERS.wishes
        },
        ..ORDERS
    };
    let mut world = World::new(3, 1);
    let one = ["1 message is left on the server, larger than --max-size"];
    let two = ["2 messages are left"];
    for (messages, days, warning) in [
        (3, 0, &one[..]),
        (3, 6, &[]),
        (3, 7, &one),
        (4, 8, &two),
        (4, 14, &[]),
        (3, 14, &[]),
        (4, 14, &two),
        (4, 21, &two),
        (2, 40, &[]),
    ] {
        world.there = vec![1, 2, 3, 4];
        world.there.truncate(messages);
        let sent = match (days, messages) {
            (0, _) => "U S.. L. R1. S. R2. S. Q.",
            (_, 2) => "U S.. Q.",
            _ => "U S.. L. Q.",
        };
        let large = match messages {
            2 => String::new(),
            messages => format!(", {} too large", messages - 2),
        };
        let counts = match days {
            0 => format!("2 delivered{large}"),
            _ => format!("2 held{large}"),
        };
        world.fetch(limited(octets - 1, days), sent, warning, &counts);
    }
}

#[test]
fn asks_for_a_witness_after_1_2_4_messages_and_fills_half_a_window_at_a_time() {
    for (window, retrieves, deletes) in [
        (
            1,
            "U S.. L. R1. S. R2. R3. S. R4. R5. R6. R7. S. R8. R9. S. Q.",
            "U S.. L. D9. D8. D7. D6. D5. D4. D3. D2. D1. Q.",
        ),
        (
            4,
            "U S.. L. R1 S R2 R3.. S R4.. R5 R6.. R7 S.. R8 R9.. S... Q.",
            "U S.. L. D9 D8 D7 D6.. D5 D4.. D3 D2.. D1... Q.",
        ),
        (
            8,
            "U S.. L. R1 S R2 R3 S R4 R5 R6.... R7 S R8 R9.... S..... Q.",
            "U S.. L. D9 D8 D7 D6 D5 D4 D3 D2.... D1..... Q.",
        ),
    ] {
        let mut world = World::new(9, window);
        world.fetch(ORDERS, retrieves, &[], "9 delivered");
        assert_eq!(world.stored(), [1, 2, 3, 4, 5, 6, 7, 8, 9]);
        world.fetch(ORDERS, "U S.. Q.", &[], "9 held");
        world.fetch(DELETE, deletes, &[], "9 deleted, 9 held");
    }
}

#[test]
fn asks_for_a_witness_each_two_seconds_and_each_four_mebioctets() {
    let mut world = World::new(9, 4);
    world.delay = Duration::from_secs(1);
    let sent = "U S.. L. R1 S R2 R3.. S R4.. S R5.. S R6.. S R7.. S R8.. S R9.. S... Q.";
    world.fetch(ORDERS, sent, &[], "9 delivered");
    let list = listing(1..=7, |_| 2 << 20);
    let mut world = World::new(7, 16).odd(&[("LIST", &list)]);
    let sent = "U S.. L. R1 S R2 R3 S R4 R5 S R6 R7 S........... \
                R1. S. R2. S. R3. S. R4. S. R5. S. R6. S. R7. S. Q.";
    world.fetch(ORDERS, sent, &["differently from RETR"], "7 delivered");
}

#[test]
fn without_sizes_each_message_has_a_witness_and_an_empty_one_is_in_doubt() {
    let any_size = Orders {
        any_size: true,
        ..ORDERS
    };
    let sent = "U S.. L. R1 S R2 S.. R3 S.. R4 S.. R5 S.. R6 S.... Q.";
    let mut world = World::new(6, 4).odd(&[SHORT]);
    world.fetch(any_size, sent, &[], "6 delivered");
    let empty = ("RETR 3", "+OK\r\n.\r\n");
    let sent = "U S.. L. R1 S R2 S.. R3 S.. R4 S.... R3. S. R4 S R5 S.. R6 S.... Q.";
    let mut world = World::new(6, 4).odd(&[empty, empty]);
    let said = "the reply has 0 octets, but LIST says 46";
    world.fetch(any_size, sent, &[said], "5 delivered, 1 in doubt");
}

/// The messages do not fit in the window, and fit afterwards, but their octets are
/// the same.
#[test]
fn a_server_that_counts_otherwise_does_not_mix_up_replies() {
    for (list, said, rest, next) in [
        (
            |message| text(message).len() - 3,
            "counts octets with LF instead of the CRLF that it sends; ",
            "R4 R5 R6 S.... Q.",
            "R7 S R8 R9.. S... Q.",
        ),
        // LIST says nothing, so each message has its own witness.
        (
            |message| text(message).len() + 1,
            "counts octets differently from RETR, which is right; ",
            "R4 S R5 S.. R6 S.... Q.",
            "R7 S R8 S.. R9 S.... Q.",
        ),
    ] as [(fn(u8) -> usize, &str, &str, &str); 2]
    {
        let lists = [listing(1..=6, list), listing(1..=9, list)];
        let mut world = World::new(6, 4).odd(&[("LIST", &lists[0]), ("LIST", &lists[1])]);
        let sent = format!("U S.. L. R1 S R2 R3. S.... R1. S. R2. S. R3. S. {rest}");
        world.fetch(ORDERS, &sent, &[said], "6 delivered");
        // The next run knows it.
        world.there.extend(7..=9);
        let sent = format!("U S.. L. {next}");
        world.fetch(ORDERS, &sent, &[], "3 delivered, 6 held");
    }
}

#[test]
fn a_server_that_mixes_up_replies_gets_one_command_at_a_time_for_90_days() {
    let mut world = World::new(6, 4).odd(&[SHORT, ("RETR 4", SHORT.1)]);
    let sent = "U S.. L. R1 S R2 R3.. S R4.. S... R3. S. R4. S. R2. R5. R6. S. Q.";
    world.fetch(ORDERS, sent, &["mixes up the replies"], "6 delivered");
    for (day, sent) in [
        (89, "U S.. L. R1. S. R2. S. Q."),
        (91, "U S.. L. R1 S R2 S.... Q."),
    ] {
        world.there = vec![day, day + 1];
        world.fetch(on_day(day.into()), sent, &[], "2 delivered");
    }
}

#[test]
fn remembers_a_missing_message_for_90_days() {
    let mut world = World::new(1, 1);
    for (day, there, sent, counts) in [
        (0, true, "U S.. L. R1. S. Q.", "1 delivered"),
        (1, false, "U S.. Q.", ""),
        (80, true, "U S.. Q.", "1 held"),
        (95, true, "U S.. Q.", "1 held"),
        (96, false, "U S.. Q.", ""),
        (185, false, "U S.. Q.", ""),
        (185, true, "U S.. Q.", "1 held"),
        (186, false, "U S.. Q.", ""),
        (277, false, "U S.. Q.", ""),
        (277, true, "U S.. L. R1. S. Q.", "1 delivered"),
    ] {
        world.there = Vec::from_iter(there.then_some(1));
        world.fetch(on_day(day), sent, &[], counts);
    }
}

#[test]
fn tries_a_message_in_doubt_alone_and_in_the_next_run_last() {
    let mut world = World::new(6, 4).odd(&[SHORT, SHORT]);
    let said = "1 message stays on the server, because a reply may contain another message or only \
                a part: RETR 3 (unique-id id3): the reply has 7 octets, but LIST says 46.";
    let sent = "U S.. L. R1 S R2 R3.. S R4.. S... R3. S. R4 R2 R5 R6.. S... D6 D5 D4 D2.. D1... Q.";
    world.fetch(DELETE, sent, &[said], "5 delivered, 5 deleted, 1 in doubt");
    world.there.extend(7..=8);
    world.odd = vec![("RETR 1", SHORT.1.to_owned())];
    let said = said.replace("RETR 3", "RETR 1");
    let sent = "U S.. L. R2 S R3 S.... D3 D2.. Q. / U S.. L. R1. S. Q.";
    world.fetch(DELETE, sent, &[&said], "2 delivered, 2 deleted, 1 in doubt");
    world.fetch(
        DELETE,
        "U S.. L. R1. S. D1. Q.",
        &[],
        "1 delivered, 1 deleted",
    );
    assert_eq!(world.stored(), [1, 4, 2, 5, 6, 7, 8, 3]);
}

/// A declined message is not deleted and not recorded, and the others have their
/// turn before it.
#[test]
fn leaves_what_a_command_declines_and_tries_it_last() {
    let mut world = World::new(6, 4);
    world.declines = vec![(3, 75), (5, 1)];
    let said = [
        "the message with unique-id id3 stays on the server: the command ended with status 75 (try \
         again later): no 3",
        "the message with unique-id id5 stays on the server: the command ended with status 1: no 5",
        "2 messages stay on the server, declined by the command",
    ];
    let sent = "U S.. L. R1 S R2 R3.. S R4.. R5 R6.. S... D6 D4 D2 D1.... Q.";
    world.fetch(DELETE, sent, &said, "4 delivered, 4 deleted, 2 declined");
    // With a limit, a message that is always declined would be the only one tried.
    world.there.push(7);
    let limit = |limit| Orders {
        wishes: Wishes {
            limit,
            ..DELETE.wishes
        },
        ..DELETE
    };
    world.fetch(
        limit(1),
        "U S.. L. R3 S.. D3. Q.",
        &[],
        "1 delivered, 1 deleted, 2 over the limit",
    );
    world.declines = vec![(5, 75)];
    let said = ["id5 stays on the server", "1 message stays on the server"];
    let sent = "U S.. L. R1. S. R2. S. D1. Q.";
    world.fetch(DELETE, sent, &said, "1 delivered, 1 deleted, 1 declined");
    // New mail first, and what was declined on a visit of its own.
    world.there.push(8);
    let sent = "U S.. L. R2 S.. D2. Q. / U S.. L. R1. S. Q.";
    world.fetch(DELETE, sent, &said, "1 delivered, 1 deleted, 1 declined");
    // Each message is declined only once in a run.
    world.there.push(9);
    world.declines = vec![(5, 75), (9, 75)];
    let sent = "U S.. L. R2 S.. Q. / U S.. L. R1. S. Q.";
    let both = ["id9 stays", "id5 stays", "2 messages stay on the server"];
    world.fetch(DELETE, sent, &both, "2 declined");
    world.declines = vec![(5, 75)];
    let sent = "U S.. L. R2. S. R1. S. D2. Q.";
    world.fetch(DELETE, sent, &said, "1 delivered, 1 deleted, 1 declined");
    world.declines.clear();
    world.fetch(
        DELETE,
        "U S.. L. R1. S. D1. Q.",
        &[],
        "1 delivered, 1 deleted",
    );
    assert_eq!(world.stored(), [1, 2, 4, 6, 7, 3, 8, 9, 5]);
}

#[test]
fn reports_what_a_command_says_of_a_message_that_it_takes() {
    let mut world = World::new(1, 1);
    world.declines = vec![(1, 0)];
    let said = ["the message with unique-id id1: the command says: no 1"];
    world.fetch(
        DELETE,
        "U S.. L. R1. S. D1. Q.",
        &said,
        "1 delivered, 1 deleted",
    );
}

#[test]
fn a_run_that_keeps_messages_tries_again_what_was_declined() {
    let mut world = World::new(2, 1);
    world.declines = vec![(2, 75)];
    let said = ["id2 stays on the server", "1 message stays"];
    let sent = "U S.. L. R1. S. R2. S. Q.";
    world.fetch(ORDERS, sent, &said, "1 delivered, 1 declined");
    let sent = "U S.. L. R2. S. Q.";
    world.fetch(ORDERS, sent, &said, "1 held, 1 declined");
    world.declines = vec![(9, 1)];
    world.fetch(ORDERS, sent, &[], "1 delivered, 1 held");
    assert_eq!(world.stored(), [1, 2]);
}

#[test]
fn connects_again_after_a_reply_out_of_step_and_sends_one_command_at_a_time() {
    let stat = |line| ("STAT", line);
    let sent_4 = "U S.. L. R1 S R2 R3.. S R4.. R5 R6. \
                  / U S.. L. R2. S. R3. R5. S. R6. S. Q. / U S.. L. R4. S. Q.";
    let sent_3 = "U S.. L. R1 S R2 R3.. S R4.. \
                  / U S.. L. R2. S. R4. R5. S. R6. S. Q. / U S.. L. R3. S. Q.";
    for (odd, sent) in [
        // The reply to RETR is left out.
        (&[("RETR 3", "+OK 6 1000\r\n")][..], sent_3),
        // Its first line ends with a bare LF.
        (&[("RETR 3", "+OK\nSubject: 3\r\n.\r\n")], sent_3),
        // The octets differ; other words do not matter.
        (
            &[
                stat("+OK 6 1000 octets\r\n"),
                stat("+OK 6 1000\r\n"),
                stat("+OK 6 1001\r\n"),
            ],
            sent_4,
        ),
        // Without numbers, only the line can be compared.
        (
            &[stat("-ERR\r\n"), stat("-ERR\r\n"), stat("+OK\r\n")],
            sent_4,
        ),
        (
            &[stat("+OK a\r\n"), stat("+OK a\r\n"), stat("+OK b\r\n")],
            sent_4,
        ),
        (&[stat("+OK\r\n"), stat("+OK\r\n"), SHORT], sent_3),
    ] {
        let mut world = World::new(6, 4).odd(odd);
        let said = "connecting again, and sending each command only after the reply";
        let octets = world.fetch(ORDERS, sent, &[said], "6 delivered");
        let all: usize = (1..=6).map(|message| text(message).len()).sum();
        assert_eq!(octets, all as u64);
    }
}

#[test]
fn without_pipelining_the_next_run_tries_the_rest() {
    let stat = |line| ("STAT", line);
    let whole = "U S.. L. R1. S. R2. R3. S. R4. R5. R6. S. Q.";
    for (odd, sent, said, counts, again) in [
        (
            &[SHORT][..],
            whole,
            "RETR 3 (unique-id id3): the reply has 7 octets, but LIST says 46",
            "5 delivered, 1 in doubt",
            "U S.. L. R3. S. Q.",
        ),
        // The replies to STAT and RETR begin with the same line.
        (
            &[
                SHORT,
                stat("+OK\r\n"),
                stat("+OK\r\n"),
                stat("+OK\r\n"),
                stat("+OK\r\n"),
            ],
            whole,
            "RETR 3 (unique-id id3)",
            "5 delivered, 1 in doubt",
            "U S.. L. R3. S. Q.",
        ),
        (
            &[("RETR 3", "-ERR no\r\n")],
            whole,
            "1 message stays on the server: the server refuses RETR 3: no",
            "5 delivered, 1 refused",
            "U S.. L. R3. S. Q.",
        ),
        (
            &[("RETR 3", "+OK\r\nno end\r\n")],
            "U S.. L. R1. S. R2. R3.",
            "silent",
            "1 delivered",
            "U S.. L. R2. S. R4. R5. S. R6. S. Q. / U S.. L. R3. S. Q.",
        ),
        (
            &[
                stat("+OK 6 1000\r\n"),
                stat("+OK 6 1000\r\n"),
                stat("+OK 6 1\r\n"),
            ],
            "U S.. L. R1. S. R2. R3. S.",
            "the reply to STAT differs",
            "1 delivered",
            "U S.. L. R2. S. R3. R4. S. R5. R6. S. Q.",
        ),
    ] {
        let mut world = World::new(6, 1).odd(odd);
        world.fetch(ORDERS, sent, &[said], counts);
        let left = 6 - world.stored().len();
        let counts = format!("{left} delivered, {} held", 6 - left);
        world.fetch(ORDERS, again, &[], &counts);
    }
}

#[test]
fn recognizes_messages_without_a_unique_id_by_their_octets() {
    let nameless = Orders {
        without_unique_id: true,
        ..ORDERS
    };
    let uidl = ("UIDL", "+OK\r\n1 id1\r\n2 id2\r\n5 id5\r\n.\r\n");
    let mut world = World::new(6, 4).odd(&[uidl, uidl, SHORT, uidl, uidl]);
    let sent = "U S.. L. R1 S R2 R5.. S... Q. / U S.. L. R3. S. R4. S. R6. S. Q.";
    world.fetch(
        nameless,
        sent,
        &["RETR 3 (unique-id ): "],
        "5 delivered, 1 in doubt",
    );
    let sent = "U S.. L. R3. S. R4. S. R6. S. Q.";
    world.fetch(nameless, sent, &[], "1 delivered, 3 held");
    assert_eq!(world.stored(), [1, 2, 5, 4, 6, 3]);
    let said = "3 messages stay on the server, because without a valid unique-id";
    world.fetch(ORDERS, "U S.. L. Q.", &[said], "3 held, 3 nameless");
    let mut small = nameless;
    (small.wishes.limit, small.wishes.max_octets) = (2, text(3).len() as u64);
    let mut world = World::new(6, 4).odd(&[uidl]);
    let sent = "U S.. L. R1 S R2 S.... Q.";
    world.fetch(
        small,
        sent,
        &["3 messages are left on the server, larger than --max-size"],
        "2 delivered, 3 too large, 1 over the limit",
    );
    // The same octets come again after a deletion.
    let mut delete = DELETE;
    delete.without_unique_id = true;
    let none = ("UIDL", "+OK\r\n.\r\n");
    let mut world = World::new(1, 4).odd(&[none, none]);
    for _ in 0..2 {
        world.there = vec![1];
        world.fetch(
            delete,
            "U S.. L. R1. S. D1. Q.",
            &[],
            "1 delivered, 1 deleted",
        );
    }
    assert_eq!(world.stored(), [1, 1]);
}

/// It is known by its octets, and in the same run by its number.
#[test]
fn leaves_a_declined_message_without_a_unique_id() {
    for orders in [ORDERS, DELETE] {
        let nameless = Orders {
            without_unique_id: true,
            ..orders
        };
        let deletes = orders.wishes.afterwards == Afterwards::Delete;
        let one = ("UIDL", "+OK\r\n1 id1\r\n.\r\n");
        let (then, sent, counts) = match deletes {
            true => (
                ("UIDL", "+OK\r\n.\r\n"),
                "U S.. L. R1. S. D1. Q. / U S.. L. R1. S. R2. S. D2. Q.",
                "2 delivered, 2 deleted, 1 declined",
            ),
            false => (
                one,
                "U S.. L. R1. S. Q. / U S.. L. R2. S. R3. S. Q.",
                "2 delivered, 1 declined",
            ),
        };
        let mut world = World::new(3, 1).odd(&[one, then]);
        world.declines = vec![(2, 1)];
        let said = [
            "the message without unique-id (sha256:",
            "1 message stays on the server",
        ];
        world.fetch(nameless, sent, &said, counts);
        assert_eq!(world.stored(), [1, 3]);
    }
}

/// STAT and LIST count messages that UIDL does not name.
#[test]
fn counts_messages_without_a_unique_id() {
    let uidl = ("UIDL", "+OK\r\n1 id1\r\n2 id2\r\n3 id3\r\n4\r\n.\r\n");
    let mut world = World::new(4, 1).odd(&[uidl, uidl]);
    let sent = "U S.. L. R1. S. R2. R3. S. Q.";
    world.fetch(
        ORDERS,
        sent,
        &["1 message stays"],
        "3 delivered, 1 nameless",
    );
    world.fetch(
        ORDERS,
        "U S.. Q.",
        &["1 message stays"],
        "3 held, 1 nameless",
    );
    let list = listing(1..=4, |message| text(message).len());
    let mut world =
        World::new(5, 1).odd(&[("UIDL", &uidl.1.replace("4\r\n", "")), ("LIST", &list)]);
    world.fetch(
        ORDERS,
        sent,
        &["2 messages stay"],
        "3 delivered, 2 nameless",
    );
}

#[test]
fn warns_about_messages_that_it_does_not_delete() {
    let mut world = World::new(2, 1);
    world.fetch(ORDERS, "U S.. L. R1. S. R2. S. Q.", &[], "2 delivered");
    world.odd = vec![("LIST", listing(1..=2, |message| message.into()))];
    let said = "2 messages are not deleted, because the size has changed";
    world.fetch(DELETE, "U S.. L. Q.", &[said], "2 held, 2 changed");
    world.fetch(DELETE, "U S.. L. D2. D1. Q.", &[], "2 deleted, 2 held");
    world.there = vec![2];
    let said = "1 message is listed again although the server confirmed the deletion";
    world.fetch(DELETE, "U S.. L. Q.", &[said], "");
}

#[test]
fn needs_no_reply_to_quit_unless_messages_were_deleted() {
    let quit = [("QUIT", "")];
    World::new(1, 1)
        .odd(&quit)
        .fetch(ORDERS, "U S.. L. R1. S. Q.", &[], "1 delivered");
    let mut world = World::new(1, 1).odd(&quit);
    world.fetch(DELETE, "U S.. L. R1. S. D1. Q.", &["silent"], "1 delivered");
}

/// The server sends nothing after a message that is retrieved alone and does not
/// fit.
#[test]
fn gives_up_a_message_after_which_the_session_ends() {
    let ok = ("STAT", "+OK 6 1000\r\n");
    let silent = ("STAT", "");
    for (window, odd, sent) in [
        (
            1,
            &[SHORT, ok, ok, silent][..],
            "U S.. L. R1. S. R2. R3. S. / U S.. L. R2. S. R4. R5. S. R6. S. Q.",
        ),
        (
            4,
            &[SHORT, SHORT, ok, ok, ok, ok, silent],
            "U S.. L. R1 S R2 R3.. S R4.. S... R3. S. / U S.. L. R2. S. R4. R5. S. R6. S. Q.",
        ),
    ] {
        let said = ["silent; connecting again", "1 message stays"];
        World::new(6, window)
            .odd(odd)
            .fetch(ORDERS, sent, &said, "5 delivered, 1 in doubt");
    }
}

#[test]
fn requests_a_refused_deletion_again() {
    let refuses = [
        ("DELE 3", "-ERR no\r\n"),
        ("DELE 2", "-ERR two\r\n"),
        ("QUIT", "+OK\r\n"),
    ];
    let mut world = World::new(6, 4).odd(&[&refuses[..], &[("QUIT", "-ERR no\r\n")]].concat());
    let sent = "U S.. L. R1 S R2 R3.. S R4.. R5 R6.. S... D6 D5 D4 D3.. D2 D1.... Q.";
    let said = "2 messages are not deleted, because the server refuses DELE: no";
    world.fetch(DELETE, sent, &[said], "6 delivered, 4 deleted");
    let sent = "U S.. L. D2 D1.. Q.";
    world.fetch(
        DELETE,
        sent,
        &["the server refuses QUIT: no; the next run"],
        "2 held",
    );
    world.there = vec![2, 3];
    world.fetch(ORDERS, sent, &[], "2 deleted, 2 held");
}

fn on_day(day: i64) -> Orders {
    let mut orders = ORDERS;
    orders.wishes.now += day * 24 * 60 * 60;
    orders
}

fn listing(messages: std::ops::RangeInclusive<u8>, octets: impl Fn(u8) -> usize) -> String {
    let row = |message| format!("{message} {}\r\n", octets(message));
    format!("+OK\r\n{}.\r\n", messages.map(row).collect::<String>())
}
