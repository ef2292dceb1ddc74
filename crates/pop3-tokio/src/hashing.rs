//! Work that takes long, away from the threads that wait for the network.

use std::{
    sync::{Arc, LazyLock},
    thread,
};

use tokio::{
    sync::Semaphore,
    task::{JoinError, spawn_blocking},
};

/// As many at one time as there are processors: more would only take longer.
static TURNS: LazyLock<Arc<Semaphore>> = LazyLock::new(|| {
    let processors = thread::available_parallelism().map_or(1, usize::from);
    Arc::new(Semaphore::new(processors))
});

/// Computes something on a thread that may take its time, in turn.
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
