//! A time limit for every child of a test, so that broken code fails its test
//! instead of hanging it.

use std::{
    collections::HashMap,
    fs,
    sync::Once,
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

/// The interval between two looks at the children.
const LOOK: Duration = Duration::from_secs(1);

/// Kills each child of this process that runs longer than `limit`, from the
/// first call on. Does nothing on systems that do not list the children of a
/// process (Linux lists them).
pub fn limit_children(limit: Duration) {
    static WATCH: Once = Once::new();
    WATCH.call_once(|| {
        thread::spawn(move || watch(limit));
    });
}

fn watch(limit: Duration) {
    let mut seen: HashMap<i32, Instant> = HashMap::new();
    loop {
        let children = children();
        seen.retain(|child, _| children.contains(child));
        for child in children {
            let since = seen.entry(child).or_insert_with(Instant::now);
            if since.elapsed() >= limit
                && let Some(pid) = Pid::from_raw(child)
            {
                eprintln!("process {child} ran for {limit:?} and is killed");
                let _ = kill_process(pid, Signal::KILL);
            }
        }
        thread::sleep(LOOK);
    }
}

/// The children of all threads.
fn children() -> Vec<i32> {
    let mut children = Vec::new();
    for thread in fs::read_dir("/proc/self/task")
        .into_iter()
        .flatten()
        .flatten()
    {
        let listed = fs::read_to_string(thread.path().join("children")).unwrap_or_default();
        let listed = listed.split_ascii_whitespace();
        children.extend(listed.filter_map(|child| child.parse::<i32>().ok()));
    }
    children
}
