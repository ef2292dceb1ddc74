//! Runs long computations away from the threads that wait for the network.

use std::sync::{Arc, Mutex, PoisonError};
#[cfg(feature = "client")]
use std::{sync::LazyLock, thread};

use tokio::{
    sync::Semaphore,
    task::{JoinError, spawn_blocking},
};

/// One turn per processor: more computations at one time would only take longer.
#[cfg(feature = "client")]
static TURNS: LazyLock<Turns<()>> =
    LazyLock::new(|| Turns::new(thread::available_parallelism().map_or(1, usize::from)));

/// Computes something on a blocking thread, when one of the turns is free.
#[cfg(feature = "client")]
pub(crate) async fn compute<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, JoinError> {
    TURNS.compute(|()| work()).await
}

/// The most computations at one time, and the memory for them.
///
/// Memory that a computation allocates itself would stay with its thread, because
/// allocators keep what a thread frees, and there are more threads than turns. So
/// the memory belongs to the turns, and is never freed.
pub(crate) struct Turns<M> {
    free: Arc<Semaphore>,
    /// The memory of the free turns; a turn that was never taken has none.
    memory: Arc<Mutex<Vec<M>>>,
}

impl<M: Default + Send + 'static> Turns<M> {
    /// At least one turn.
    pub(crate) fn new(turns: usize) -> Self {
        Self {
            free: Arc::new(Semaphore::new(turns.clamp(1, Semaphore::MAX_PERMITS))),
            memory: Arc::default(),
        }
    }

    /// Computes something on a blocking thread, when a turn is free.
    pub(crate) async fn compute<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut M) -> T + Send + 'static,
    ) -> Result<T, JoinError> {
        // The turn ends when the work is done, even if the caller no longer waits
        // for the result. The semaphore is never closed.
        let turn = Arc::clone(&self.free).acquire_owned().await;
        let all = Arc::clone(&self.memory);
        spawn_blocking(move || {
            let lock = || all.lock().unwrap_or_else(PoisonError::into_inner);
            let mut memory = lock().pop().unwrap_or_default();
            let result = work(&mut memory);
            lock().push(memory);
            drop(turn);
            result
        })
        .await
    }

    /// The number of free turns.
    #[cfg(test)]
    pub(crate) fn free(&self) -> usize {
        self.free.available_permits()
    }

    /// Takes turns until the returned value is dropped.
    #[cfg(test)]
    pub(crate) fn take(&self, turns: u32) -> tokio::sync::OwnedSemaphorePermit {
        Arc::clone(&self.free)
            .try_acquire_many_owned(turns)
            .unwrap()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use tokio::{select, task::yield_now};

    use super::Turns;

    #[cfg(feature = "client")]
    #[test]
    fn runs_at_most_one_computation_per_processor() {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        assert!(super::TURNS.free() <= processors);
    }

    /// Otherwise clients that disconnect could start any number of computations.
    #[tokio::test]
    async fn an_abandoned_computation_keeps_its_permit() {
        let turns = Turns::<()>::new(1);
        let (end, ended) = mpsc::channel::<()>();
        let (begin, mut begun) = tokio::sync::mpsc::unbounded_channel();
        let work = turns.compute(move |()| {
            begin.send(()).unwrap();
            ended.recv().unwrap();
        });
        select! {
            _ = work => panic!("it waits to be ended"),
            begun = begun.recv() => begun.unwrap(),
        }
        assert_eq!(turns.free(), 0);
        end.send(()).unwrap();
        while turns.free() == 0 {
            yield_now().await;
        }
    }

    #[tokio::test]
    async fn each_computation_has_memory_that_an_earlier_one_has_left() {
        let turns = Turns::<Vec<u8>>::new(2);
        for before in 0..3 {
            let found = turns.compute(move |memory| {
                memory.push(0);
                memory.len()
            });
            assert_eq!(found.await.unwrap(), before + 1);
        }
        assert_eq!(turns.memory.lock().unwrap().len(), 1);
    }
}
