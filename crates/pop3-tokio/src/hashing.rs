//! Work that takes long, away from the threads that wait for the network.

use std::sync::Arc;
#[cfg(feature = "client")]
use std::{sync::LazyLock, thread};

use tokio::{
    sync::Semaphore,
    task::{JoinError, spawn_blocking},
};

/// As many at one time as there are processors: more would only take longer.
#[cfg(feature = "client")]
static TURNS: LazyLock<Arc<Semaphore>> = LazyLock::new(|| {
    let processors = thread::available_parallelism().map_or(1, usize::from);
    Arc::new(Semaphore::new(processors))
});

/// Computes something on a thread that may take its time, in turn.
#[cfg(feature = "client")]
pub(crate) async fn compute<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, JoinError> {
    compute_in(&TURNS, work).await
}

/// The same among those that share `turns`.
pub(crate) async fn compute_in<T: Send + 'static>(
    turns: &Arc<Semaphore>,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, JoinError> {
    // Held until the work is done, also where its result is not waited for any
    // more. Never closed.
    let turn = Arc::clone(turns).acquire_owned().await;
    spawn_blocking(move || {
        let result = work();
        drop(turn);
        result
    })
    .await
}

#[cfg(all(test, feature = "client"))]
mod tests {
    use std::sync::{Arc, mpsc};

    use tokio::{select, sync::Semaphore, task::yield_now};

    use super::{TURNS, compute_in};

    #[test]
    fn there_are_no_more_turns_than_processors() {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        assert!(TURNS.available_permits() <= processors);
    }

    /// Else a client that comes and goes could start any number of them.
    #[tokio::test]
    async fn work_that_is_not_waited_for_keeps_its_turn() {
        let turns = Arc::new(Semaphore::new(1));
        let (end, ended) = mpsc::channel::<()>();
        let (begin, mut begun) = tokio::sync::mpsc::unbounded_channel();
        let work = compute_in(&turns, move || {
            begin.send(()).unwrap();
            ended.recv().unwrap();
        });
        select! {
            _ = work => panic!("it waits to be ended"),
            begun = begun.recv() => begun.unwrap(),
        }
        assert_eq!(turns.available_permits(), 0);
        end.send(()).unwrap();
        while turns.available_permits() == 0 {
            yield_now().await;
        }
    }
}
