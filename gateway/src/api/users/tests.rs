//! A vault over REST: which version follows which, and how large it is.

use hearth_protocol::bytes::b64u;
use hearth_protocol::role::HouseRole;
use hearth_protocol::sealing::Secret;
use hearth_protocol::sealing::card::Card;
use hearth_protocol::sealing::identity::Identity;
use serde_json::{Value, json};

use crate::clock::random;
use crate::testing::{BEGINS_MS, House, Person};

/// The vault that follows a version, and its recovery file, of so many bytes.
fn vault(expected: u64, vault: usize, recovery: usize) -> Value {
    let bytes = |length| b64u(&vec![7; length]);
    json!({ "expected_version": expected, "vault": bytes(vault), "recovery": bytes(recovery) })
}

fn card(of: &Person) -> String {
    let identity = Identity::from_root(Secret::from_bytes(random())).unwrap();
    b64u(&Card::first(&identity, of.id, BEGINS_MS).unwrap().encode())
}

#[tokio::test]
async fn a_vault_follows_the_version_that_its_client_knows() {
    let house = House::new().await;
    let anna = house.person("anna", HouseRole::Owner).await;
    let ben = house.person("ben", HouseRole::Member).await;
    let put = async |body: Value| house.put("/api/vault", &anna, body).await;
    assert_eq!(house.get("/api/vault", &anna).await.code(), "no_vault");
    assert_eq!(put(vault(0, 1, 1)).await.code(), "card_required");
    let mut first = vault(0, 1, 1);
    first["card"] = json!(card(&ben));
    assert_eq!(put(first.clone()).await.code(), "bad_card");
    first["card"] = json!(card(&anna));
    assert_eq!(put(first.clone()).await.is(200), json!({ "version": 1 }));
    for (expected, code) in [(0, "vault_conflict"), (2, "vault_conflict"), (1, "200")] {
        let mut body = first.clone();
        body["expected_version"] = json!(expected);
        assert_eq!(put(body).await.code(), code, "{expected}");
    }
    let served = house.get("/api/vault", &anna).await.is(200);
    assert_eq!((&served["version"], &served["vault"]), (&json!(2), &json!(b64u(&[7]))));
    assert_eq!(house.get("/api/vault", &ben).await.code(), "no_vault");
    let app = house.app.auth.make_app_token(anna.id, "x", None).await.unwrap().1;
    let app = Person { token: app, ..anna.clone() };
    assert_eq!(house.get("/api/vault", &app).await.code(), "forbidden");
    assert_eq!(house.put("/api/vault", &app, vault(2, 1, 1)).await.code(), "forbidden");
}

#[tokio::test]
async fn a_vault_and_its_recovery_file_have_262_144_bytes_each() {
    let house = House::new().await;
    let anna = house.person("anna", HouseRole::Owner).await;
    let card = card(&anna);
    let max = 262_144;
    for (body, code) in [
        (vault(0, 0, 1), "bad_vault"),
        (vault(0, 1, 0), "bad_vault"),
        (vault(0, max + 1, 1), "bad_vault"),
        (vault(0, 1, max + 1), "bad_vault"),
        (vault(0, max, max), "200"),
    ] {
        let mut body = body;
        body["card"] = json!(card);
        assert_eq!(house.put("/api/vault", &anna, body).await.code(), code);
    }
}
