//! The wire alone: a peer that knows one answer and gives it to every request, so that the client's
//! own time and the threads that wake each other over loopback are known for themselves.

use std::net::SocketAddr;
use std::thread;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime;

use super::clients::whole;

/// Workers of `hearth serve` on the two cores that the figures are of.
const WORKERS: usize = 2;

/// Gives `answer` to every request from now on, until the program ends: where.
pub fn start(answer: Vec<u8>) -> SocketAddr {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    listener.set_nonblocking(true).unwrap();
    let at = listener.local_addr().unwrap();
    thread::spawn(move || {
        let mut builder = runtime::Builder::new_multi_thread();
        let runtime = builder.worker_threads(WORKERS).enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = TcpListener::from_std(listener).unwrap();
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, answer.clone()));
            }
        });
    });
    at
}

async fn serve(mut stream: TcpStream, answer: Vec<u8>) {
    stream.set_nodelay(true).unwrap();
    let (mut buffer, mut filled) = (vec![0; 64 * 1024], 0);
    while let Ok(read @ 1..) = stream.read(&mut buffer[filled..]).await {
        filled += read;
        // One request at a time: the client waits for its answer.
        if whole(&buffer[..filled]).is_some_and(|end| filled >= end) {
            filled = 0;
            stream.write_all(&answer).await.unwrap();
        }
    }
}
