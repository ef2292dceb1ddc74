//! Runs long computations away from the threads that wait for the network.

use std::sync::Arc;
#[cfg(feature = "client")]
use std::{sync::LazyLock, thread};

use tokio::{
    sync::Semaphore,
    task::{JoinError, spawn_blocking},
};

/// One permit per processor: more computations at one time would only take longer.
#[cfg(feature = "client")]
static TURNS: LazyLock<Arc<Semaphore>> = LazyLock::new(|| {
    let processors = thread::available_parallelism().map_or(1, usize::from);
    Arc::new(Semaphore::new(processors))
});

/// Computes something on a blocking thread, when a permit is free.
#[cfg(feature = "client")]
pub(crate) async fn compute<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, JoinError> {
    compute_in(&TURNS, work).await
}

/// Computes something on a blocking thread, when one of the `turns` is free.
pub(crate) async fn compute_in<T: Send + 'static>(
    turns: &Arc<Semaphore>,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, JoinError> {
    // The permit is held until the work is done, even if the caller no longer waits
    // for the result. The semaphore is never closed.
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
    fn runs_at_most_one_computation_per_processor() {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        assert!(TURNS.available_permits() <= processors);
    }

    /// Otherwise clients that disconnect could start any number of computations.
    #[tokio::test]
    async fn an_abandoned_computation_keeps_its_permit() {
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
