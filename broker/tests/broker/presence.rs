//! An account is online from its first connection until a grace after its last (design §5).

use std::time::Duration;

use hearth_broker::PresenceChange::{self, Offline, Online};
use hearth_protocol::principal::Account;
use tokio::time::sleep;

use super::support::{House, house};

fn told(house: &House) -> Vec<PresenceChange> {
    house.gate.presence.lock().unwrap().iter().map(|(_, change)| *change).collect()
}

#[tokio::test(start_paused = true)]
async fn a_phone_that_drops_and_returns_within_the_grace_was_never_away() {
    let house = house(|_| {});
    for _ in 0..3 {
        drop(house.client("phone").await);
        sleep(Duration::from_secs(29)).await;
    }
    assert_eq!(told(&house), [Online]);
    sleep(Duration::from_secs(2)).await;
    assert_eq!(told(&house), [Online, Offline]);
    house.client("phone").await.disconnect().await;
    sleep(Duration::from_secs(31)).await;
    assert_eq!(told(&house), [Online, Offline, Online, Offline]);
}

#[tokio::test(start_paused = true)]
async fn somebody_with_a_connection_left_stays_online() {
    let house = house(|limits| limits.presence_grace_s = 5);
    let (phone, laptop) = (house.client("phone").await, house.client("laptop").await);
    drop(phone);
    sleep(Duration::from_secs(60)).await;
    assert_eq!(told(&house), [Online]);
    let taken_over = house.client("laptop").await;
    drop(laptop);
    sleep(Duration::from_secs(60)).await;
    assert_eq!(told(&house), [Online]);
    drop(taken_over);
    sleep(Duration::from_secs(6)).await;
    assert_eq!(told(&house), [Online, Offline]);
}

#[tokio::test(start_paused = true)]
async fn each_account_comes_and_goes_for_itself() {
    let house = house(|_| {});
    let name = |name: &str| Some(name.to_string().into());
    let (_anna, _) = house.connect("a", |c| c.username = name("anna")).await;
    let (bert, _) = house.connect("a", |c| c.username = name("bert")).await;
    drop(bert);
    sleep(Duration::from_secs(31)).await;
    let account = |name: &str| Account::Local(name.to_string());
    let expected =
        [(account("anna"), Online), (account("bert"), Online), (account("bert"), Offline)];
    assert_eq!(*house.gate.presence.lock().unwrap(), expected);
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_waits_for_no_grace() {
    let house = house(|_| {});
    let _stays = house.client("a").await;
    let (gone, _) = house.connect("b", |c| c.username = Some("bert".into())).await;
    drop(gone);
    sleep(Duration::from_secs(1)).await;
    house.broker.shutdown().await;
    assert_eq!(told(&house), [Online, Online, Offline, Offline]);
}
