//! The broker alone, for conformance suites and measurements: everyone may do everything, except
//! subscribe to `test/nosubscribe`. Not for use as a broker: there is no authentication.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, ready};
use hearth_broker::{Backlog, Broker, Gate, Login, OnceKey, PresenceChange, Publish, Verdict};
use hearth_protocol::ids::{Position, RoomId};
use hearth_protocol::limits::Limits;
use hearth_protocol::principal::{Account, Principal};
use hearth_protocol::refusal::{Kind, Refusal};
use tokio::net::TcpListener;
use tokio::runtime::Builder;

/// A broker without accounts.
#[derive(Debug, Parser)]
struct Arguments {
    /// Where to listen for MQTT over TCP.
    #[arg(long)]
    listen: SocketAddr,
    /// Where to listen for MQTT over WebSocket.
    #[arg(long)]
    ws: Option<SocketAddr>,
    /// Worker threads. One alone takes packets of all clients in the order in which they came:
    /// suites publish while another client's SUBSCRIBE is unanswered, and count on it.
    #[arg(long, default_value = "1")]
    threads: NonZeroUsize,
    /// Sets a limit, as NAME=NUMBER.
    #[arg(long)]
    limit: Vec<String>,
}

struct Anyone;

impl Gate for Anyone {
    fn admit(&self, _: Login) -> BoxFuture<'_, Result<Principal, Refusal>> {
        ready(Ok(Principal::Local("anyone".to_string()))).boxed()
    }

    fn may_subscribe(&self, _: &Principal, filter: &str) -> Result<(), Refusal> {
        if filter == "test/nosubscribe" {
            return Err(Refusal::new(Kind::Forbidden, "not_subscribable", filter));
        }
        Ok(())
    }

    fn may_receive(&self, _: &Principal, _: &str) -> bool {
        true
    }

    fn accept(
        &self,
        _: Arc<Principal>,
        _: Publish,
    ) -> BoxFuture<'static, Result<Verdict, Refusal>> {
        ready(Ok(Verdict::Route)).boxed()
    }

    fn release(&self, _: OnceKey) -> BoxFuture<'static, Result<(), Refusal>> {
        ready(Ok(())).boxed()
    }

    fn backlog<'a>(
        &'a self,
        _: &'a Principal,
        _: RoomId,
        after: Position,
        _: usize,
    ) -> BoxFuture<'a, Result<Backlog, Refusal>> {
        ready(Ok(Backlog { events: Vec::new(), up_to: after })).boxed()
    }

    fn presence(&self, _: &Account, _: PresenceChange) {}

    fn refused(&self, _: &Principal, _: &str, _: &Refusal) {}
}

/// One account for everyone: its bounds are the broker's.
fn limits(arguments: &Arguments) -> Result<Limits, Box<dyn std::error::Error>> {
    let mut limits = Limits { keep_alive_s_max: 60, ..Limits::default() };
    limits.connections_per_identity_max = limits.connections_max;
    limits.connections_per_address_max = limits.connections_max;
    limits.sessions_per_identity_max = limits.connections_max;
    limits.publishes_per_s_max = 0;
    for text in &arguments.limit {
        limits.set(text)?;
    }
    Ok(limits)
}

async fn run(arguments: &Arguments) -> Result<(), Box<dyn std::error::Error>> {
    let broker = Broker::new(Arc::new(limits(arguments)?));
    broker.open(Arc::new(Anyone));
    let listener = TcpListener::bind(arguments.listen).await?;
    println!("MQTT on {}", listener.local_addr()?);
    let plain = broker.clone();
    let mut tasks = vec![tokio::spawn(async move { plain.listen(listener).await })];
    if let Some(address) = arguments.ws {
        let listener = TcpListener::bind(address).await?;
        println!("MQTT over WebSocket on {}", listener.local_addr()?);
        let ws = broker.clone();
        tasks.push(tokio::spawn(async move { ws.listen_ws(listener).await }));
    }
    tokio::signal::ctrl_c().await?;
    broker.shutdown().await;
    for task in tasks {
        task.await?;
    }
    Ok(())
}

fn start(arguments: &Arguments) -> Result<(), Box<dyn std::error::Error>> {
    let mut builder = match arguments.threads.get() {
        1 => Builder::new_current_thread(),
        _ => Builder::new_multi_thread(),
    };
    builder.worker_threads(arguments.threads.get()).enable_all().build()?.block_on(run(arguments))
}

fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
        .with_writer(std::io::stderr)
        .init();
    match start(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(cause) => {
            eprintln!("standalone: {cause}");
            ExitCode::FAILURE
        }
    }
}
