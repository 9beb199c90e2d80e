//! Tasks are owned: asked to finish, waited for, then cut off.

use std::{future::Future, time::Duration};

use tokio::time::timeout;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Every task of a server. Dropping it cuts them off.
#[derive(Clone, Debug, Default)]
pub struct Lifecycle {
    soft: CancellationToken,
    hard: CancellationToken,
    tasks: TaskTracker,
}

impl Lifecycle {
    /// Cancelled when it is time to finish: take on nothing new, end what is begun.
    pub fn stopping(&self) -> CancellationToken {
        self.soft.clone()
    }

    /// Runs `task` until it ends or is cut off.
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let hard = self.hard.clone();
        self.tasks.spawn(async move {
            tokio::select! {
                () = task => (),
                () = hard.cancelled() => (),
            }
        });
    }

    /// Asks every task to finish, waits for `grace`, then drops the stragglers. Whether all ended by
    /// themselves.
    pub async fn stop(&self, grace: Duration) -> bool {
        self.soft.cancel();
        self.tasks.close();
        let clean = timeout(grace, self.tasks.wait()).await.is_ok();
        self.hard.cancel();
        self.tasks.wait().await;
        clean
    }

    /// Drops every task where it stands, as a crash would.
    pub fn cut(&self) {
        self.soft.cancel();
        self.hard.cancel();
        self.tasks.close();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_task_that_will_not_end_is_cut_off() {
        let life = Lifecycle::default();
        let stopping = life.stopping();
        life.spawn(async move { stopping.cancelled().await });
        assert!(life.stop(Duration::from_secs(1)).await);

        let life = Lifecycle::default();
        life.spawn(std::future::pending());
        assert!(!life.stop(Duration::from_secs(1)).await);
    }
}
