//! Who is let in, on each path.

use std::net::SocketAddr;

use hearth_broker::{Gate, Login, Version};
use hearth_protocol::role::HouseRole;
use serde_json::{Value, json};

use super::*;
use crate::gate::HouseGate;
use crate::testing::{Answered, House, Person};

const AT: &str = "/api/settings/addresses";

/// A request from an address.
async fn from(
    house: &House,
    address: &str,
    (method, path): (&str, &str),
    who: &Person,
    body: Value,
) -> Answered {
    let peer = Peer(SocketAddr::new(address.parse().unwrap(), 9));
    let mut request = warp::test::request()
        .method(method)
        .path(path)
        .extension(peer)
        .header("authorization", format!("Bearer {}", who.token));
    if !body.is_null() {
        request = request.json(&body);
    }
    let response = request.reply(&house.routes).await;
    let bytes = response.body().to_vec();
    let body = serde_json::from_slice(&bytes).unwrap_or_default();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    Answered { status, headers, bytes, body }
}

#[tokio::test]
async fn who_is_not_let_in_is_told_so_on_every_path() {
    let house = House::new().await;
    let anna = house.person("anna", HouseRole::Owner).await;
    let rules = json!({ "version": 0, "allow": ["192.168.0.0/16"], "deny": ["192.168.7.0/24"] });
    let set = from(&house, "192.168.1.2", ("PUT", AT), &anna, rules).await.is(200);
    assert_eq!((&set["version"], &set["yours"]), (&json!(1), &json!("192.168.1.2")));
    for path in ["/api/auth/me", "/health", "/", "/mqtt", "/api/invites/ABC", "/nothing"] {
        let refused = from(&house, "192.168.7.1", ("GET", path), &anna, Value::Null).await;
        assert_eq!((refused.status, refused.code().as_str()), (403, "address_refused"), "{path}");
        assert_eq!(refused.headers["x-content-type-options"], "nosniff");
    }
    for address in ["192.168.1.9", "127.0.0.1", "::1", "::ffff:192.168.1.9"] {
        from(&house, address, ("GET", "/api/auth/me"), &anna, Value::Null).await.is(200);
    }
    house.get("/api/auth/me", &anna).await.is(200);
}

#[tokio::test]
async fn mqtt_asks_the_same_rules_before_the_token() {
    let house = House::new().await;
    let anna = house.person("anna", HouseRole::Owner).await;
    let deny = vec!["203.0.113.0/24".parse().unwrap()];
    let new = NewRules { deny, ..NewRules::default() };
    house.app.set_addresses(Some(anna.id), new).await.unwrap();
    let gate = HouseGate::new(&house.app);
    let connect = async |address: &str, token: &str| {
        let login = Login {
            client_id: "c".into(),
            username: None,
            password: Some(token.to_string().into_bytes().into()),
            version: Version::V5,
            peer: SocketAddr::new(address.parse().unwrap(), 9),
        };
        gate.admit(login).await.err().map_or("", |refusal| refusal.code)
    };
    assert_eq!(connect("203.0.113.9", &anna.token).await, "address_refused");
    assert_eq!(connect("203.0.113.9", "wrong").await, "address_refused");
    assert_eq!(connect("198.51.100.1", &anna.token).await, "");
    assert_eq!(connect("127.0.0.1", "wrong").await, "wrong_token");
}

#[tokio::test]
async fn rules_are_for_whoever_runs_the_house_and_do_not_shut_them_out_unasked() {
    let house = House::new().await;
    let anna = house.person("anna", HouseRole::Admin).await;
    let ben = house.person("ben", HouseRole::Member).await;
    let rules = |version: u64, deny: &str| {
        json!({ "version": version, "allow": [],
                                                    "deny": [deny] })
    };
    let put =
        async |who: &Person, body: Value| from(&house, "10.0.0.5", ("PUT", AT), who, body).await;
    assert_eq!(put(&ben, rules(0, "10.9.0.0/16")).await.code(), "forbidden");
    assert_eq!(house.get(AT, &ben).await.code(), "forbidden");
    assert_eq!(put(&anna, rules(0, "10.0.0.0/8")).await.code(), "would_lock_you_out");
    assert_eq!(put(&anna, rules(1, "10.9.0.0/16")).await.code(), "changed_meanwhile");
    assert_eq!(put(&anna, rules(0, "10.9.0.1/16")).await.code(), "bad_json");
    put(&anna, rules(0, "10.9.0.0/16")).await.is(200);
    let mut forced = rules(1, "10.0.0.0/8");
    forced["force"] = json!(true);
    put(&anna, forced).await.is(200);
    assert_eq!(put(&anna, rules(2, "::/0")).await.code(), "address_refused");
    let many: Vec<_> = (0..257).map(|n| format!("172.{}.{}.0/24", 16 + n / 256, n % 256)).collect();
    let lists = |count: usize| json!({ "version": 2, "allow": [], "deny": &many[..count] });
    assert_eq!(house.call("PUT", AT, Some(&anna), lists(257)).await.code(), "too_large");
    house.call("PUT", AT, Some(&anna), lists(256)).await.is(200);
    let log = house.app.store.audit(None, 9).await.unwrap();
    assert!(log.len() == 3 && log.iter().all(|entry| entry.action == "addresses.change"));
}

#[tokio::test]
async fn the_boxs_own_shell_is_never_shut_out() {
    let house = House::new().await;
    let everybody = vec!["0.0.0.0/0".parse().unwrap(), "::/0".parse().unwrap()];
    let new = NewRules { deny: everybody, ..NewRules::default() };
    house.app.set_addresses(None, new).await.unwrap();
    let reply = crate::admin::handle(
        &house.app,
        crate::admin::Request::HouseAddresses { set: Some((vec![], vec![])) },
    )
    .await;
    let crate::admin::Reply::Addresses(rules) = reply else { panic!("{reply:?}") };
    assert_eq!((rules.version, rules.deny.len()), (2, 0));
}
