//! Whatever bytes arrive, no connection panics and the next client is served.

use super::support::{House, house};
use proptest::prelude::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const CONNECT_3: &[u8] = b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x00\x00\x01r";
const CONNECT_5: &[u8] = b"\x10\x0e\x00\x04MQTT\x05\x02\x00\x00\x00\x00\x01r";

/// Feeds bytes in pieces and lets the client go; a panic would leave no answer to the next one.
async fn feed(house: &House, start: &[u8], bytes: &[u8], cut: usize) {
    let mut stream = house.stream(1 << 16, 1);
    let all = [start, bytes].concat();
    for piece in all.chunks(cut) {
        if stream.write_all(piece).await.is_err() {
            break;
        }
    }
    // Reset or not, what counts is what the broker does.
    drop(stream.shutdown().await);
    let mut answer = vec![];
    drop(stream.read_to_end(&mut answer).await);
    let mut client = house.client("after").await;
    client.nothing().await;
    client.disconnect().await;
}

/// Well-formed packets with arbitrary middles reach deeper than noise does.
fn packets() -> impl Strategy<Value = Vec<u8>> {
    let packet = (any::<u8>(), proptest::collection::vec(any::<u8>(), 0..40));
    proptest::collection::vec(packet, 0..12).prop_map(|packets| {
        let mut bytes = vec![];
        for (kind, body) in packets {
            bytes.push(kind);
            bytes.push(u8::try_from(body.len()).unwrap());
            bytes.extend(body);
        }
        bytes
    })
}

fn run(start: &[u8], bytes: &[u8], cut: usize) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(async {
        let house = house(|_| {});
        feed(&house, start, bytes, cut).await;
        house.broker.shutdown().await;
        assert_eq!(house.broker.counts().connections, 0);
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn noise(bytes in proptest::collection::vec(any::<u8>(), 0..300), cut in 1usize..64) {
        run(b"", &bytes, cut);
    }

    #[test]
    fn packets_after_connect(bytes in packets(), cut in 1usize..64, five: bool) {
        run(if five { CONNECT_5 } else { CONNECT_3 }, &bytes, cut);
    }
}
