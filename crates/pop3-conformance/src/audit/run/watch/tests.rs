//! The ends of shell scripts under limits.

use super::*;

const LIMITS: Limits = Limits {
    time: Duration::from_secs(60),
    patience: Duration::from_secs(60),
    disk: 1 << 16,
    memory: 1 << 30,
};

/// Runs a script; `meanwhile` may send events and use the scratch directory.
fn ended(script: &str, limits: &Limits, meanwhile: fn(&Sender<Event>, &Path)) -> Ended {
    let scratch = tempfile::tempdir().unwrap();
    let (events, inbox) = channel();
    let mut command = Command::new("/bin/sh");
    command.args(["-c", script]).current_dir(scratch.path());
    thread::scope(|scope| {
        scope.spawn(|| meanwhile(&events, scratch.path()));
        run(command, scratch.path(), limits, (&events, &inbox)).unwrap()
    })
}

#[test]
fn a_client_ends_by_itself_or_at_a_limit() {
    for (script, end) in [
        ("exit 3", End::Exited(3)),
        ("kill -SEGV $$", End::Killed(11)),
        // The system ends it, if it has such a limit.
        (
            "for i in 1 2 3 4 5 6 7 8 9; do test $(ulimit -f) = unlimited && sleep 0.1; done; \
             exec head -c 100000 /dev/zero > file",
            End::Grew,
        ),
        ("head -c 65536 /dev/zero > file; sleep 0.2", End::Exited(0)),
        // Files count together, wherever they are.
        (
            "mkdir a; head -c 40000 /dev/zero | tee a/1 > a/2; exec sleep 60",
            End::Grew,
        ),
        ("head -c 40000 /dev/zero | tee 1 > 2", End::Grew),
        ("head -c 65537 /dev/zero; exec sleep 60", End::Grew),
        ("head -c 65537 /dev/zero >&2; exec sleep 60", End::Grew),
    ] {
        assert_eq!(ended(script, &LIMITS, |_, _| {}).end, end, "{script}");
    }
    let most = ended("head -c 65536 /dev/zero; echo end >&2", &LIMITS, |_, _| {});
    assert_eq!(most.end, End::Exited(0));
    assert_eq!(
        (most.stdout.len(), &most.stderr[..]),
        (65536, &b"end\n"[..])
    );
}

#[test]
fn an_event_stops_a_client() {
    let forever = "exec sleep 60";
    let end = |limits, meanwhile| ended(forever, limits, meanwhile).end;
    let loops = end(&LIMITS, |events, _| events.send(Event::TooMuch).unwrap());
    assert_eq!(loops, End::Loops);
    let short = Duration::from_millis(200);
    let limits = Limits {
        time: short,
        ..LIMITS
    };
    assert_eq!(end(&limits, |_, _| {}), End::Time);
    let limits = Limits {
        patience: short,
        ..LIMITS
    };
    let owes: fn(&Sender<Event>, &Path) = |events, _| {
        events.send(Event::Moved).unwrap();
        events.send(Event::Owes(channel().0)).unwrap();
    };
    assert_eq!(end(&limits, owes), End::Waiting);
}

#[cfg(target_os = "linux")]
#[test]
fn the_system_limits_memory_and_dumps() {
    let script = "until test \"$(ulimit -v) $(ulimit -c)\" = '1048576 0'; do sleep 0.01; done";
    let limits = Limits {
        time: Duration::from_secs(20),
        ..LIMITS
    };
    assert_eq!(ended(script, &limits, |_, _| {}).end, End::Exited(0));
}

/// `tail` keeps what it has read until the end of its input.
#[cfg(target_os = "linux")]
#[test]
fn a_client_may_read_an_endless_line_but_not_keep_it() {
    let keep = |octets: &str| {
        format!(
            "until test -e go; do sleep 0.01; done; \
             {{ head -c {octets} /dev/zero; echo > done; sleep 60; }} | tail -c {octets}"
        )
    };
    let flood: fn(&Sender<Event>, &Path) = |events, scratch| {
        let (go_on, watcher) = channel();
        events.send(Event::Owes(go_on)).unwrap();
        assert!(watcher.recv().is_err());
        fs::write(scratch.join("go"), "").unwrap();
        while !scratch.join("done").exists() {
            thread::sleep(Duration::from_millis(1));
        }
        events.send(Event::Flooded).unwrap();
        events.send(Event::TooMuch).unwrap();
    };
    assert_eq!(ended(&keep("60000000"), &LIMITS, flood).end, End::Swallowed);
    assert_eq!(ended(&keep("6000000"), &LIMITS, flood).end, End::Loops);
}
