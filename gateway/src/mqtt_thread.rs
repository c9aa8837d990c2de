//! A thread of its own for MQTT over TCP and TLS: a message passes from one session to another
//! without waking a second thread (docs/decisions/0008).

use std::io;

use tokio::net::TcpListener;
use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, spawn_blocking};

/// The thread. It ends when it is told to, and its sessions with it.
pub struct MqttThread {
    runtime: Handle,
    leave: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

impl MqttThread {
    /// Starts it, from within the appliance's runtime.
    pub fn start() -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        let (leave, left) = oneshot::channel();
        let thread = spawn_blocking(move || {
            if runtime.block_on(left).is_err() {
                tracing::debug!("nobody ended the thread of MQTT in order");
            }
        });
        Ok(Self { runtime: handle, leave, thread })
    }

    /// Gives it a listener, and what accepts from it.
    pub fn listen<F: Future<Output = ()> + Send + 'static>(
        &self,
        listener: TcpListener,
        accept: impl FnOnce(TcpListener) -> F,
    ) -> io::Result<()> {
        let listener = listener.into_std()?;
        let _its_sockets_are_asked_there = self.runtime.enter();
        self.runtime.spawn(accept(TcpListener::from_std(listener)?));
        Ok(())
    }

    /// Ends it, after the broker has said good-bye to all.
    pub async fn end(self) {
        if self.leave.send(()).is_err() {
            tracing::error!("the thread of MQTT ended before its time");
        }
        if let Err(error) = self.thread.await {
            tracing::error!(%error, "the thread of MQTT broke");
        }
    }
}
