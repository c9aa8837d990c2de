//! What the store keeps of accounts: names and texts, the last owner, who may sign in.

use std::sync::Arc;

use super::*;
use crate::testing::*;
use crate::{AppToken, Change, Edit, Memory, Session};

fn owner(number: u8, name: &str) -> User {
    User { role: HouseRole::Owner, ..user(number, name) }
}

async fn update(store: &Store, user: User) -> Result<(), StoreError> {
    store.make(vec![Edit::UpdateUser(user)]).await.map(drop)
}

fn session(user: u8) -> Edit {
    Edit::PutSession(Session {
        id: session_id(user),
        user: user_id(user),
        label: "phone".into(),
        refresh_hash: [user; 32],
        created_at: 1,
        last_used_at: 1,
    })
}

fn token(user: u8) -> Edit {
    Edit::PutToken(AppToken {
        id: token_id(user),
        user: user_id(user),
        label: "script".into(),
        hash: [user; 32],
        created_at: 1,
        last_used_at: 1,
        scope: None,
    })
}

#[test]
fn display_name_and_status_text_are_as_long_as_the_seed_says() {
    on_each_engine(|store| async {
        let store = store.with_people().await;
        let named = |name: String| User { display_name: name, ..user(1, "Anna") };
        let saying = |text: String| User { status_text: text, ..user(1, "Anna") };
        update(&store, named("ä".repeat(50))).await.unwrap();
        refused!(update(&store, named("ä".repeat(51))).await, TooLarge);
        refused!(update(&store, named(" ".into())).await, Invalid);
        refused!(update(&store, named("a\nb".into())).await, Invalid);
        update(&store, saying("ä".repeat(100))).await.unwrap();
        refused!(update(&store, saying("ä".repeat(101))).await, TooLarge);
        let dora = User { display_name: String::new(), ..user(4, "Dora") };
        refused!(store.make(vec![Edit::PutUser(dora)]).await, Invalid);
        assert_eq!(store.user_by_name("dora").await.unwrap(), None);
    });
}

#[test]
fn presence_is_what_was_chosen_and_a_later_use_is_not_forgotten() {
    on_each_engine(|store| async {
        let store = store.with_people().await;
        let busy = User {
            presence: PresenceChoice::Busy,
            last_seen: 50,
            created_at: 9,
            ..user(1, "Anna")
        };
        update(&store, busy.clone()).await.unwrap();
        update(&store, User { last_seen: 0, ..busy.clone() }).await.unwrap();
        let found = store.user(user_id(1)).await.unwrap().unwrap();
        assert_eq!(found, User { created_at: 1, ..busy });
    });
}

#[test]
fn a_house_keeps_an_owner_who_can_sign_in() {
    on_each_engine(|store| async {
        let store = store.with_people().await;
        let people = [owner(4, "Dora"), user(5, "Emil")];
        store.make(people.map(Edit::PutUser).into()).await.unwrap();
        let leaving = [
            user(4, "Dora"),
            User { role: HouseRole::Admin, ..user(4, "Dora") },
            User { blocked: true, ..owner(4, "Dora") },
        ];
        for change in &leaving {
            refused!(update(&store, change.clone()).await, Invalid);
        }
        update(&store, User { blocked: true, ..owner(5, "Emil") }).await.unwrap();
        for change in &leaving {
            refused!(update(&store, change.clone()).await, Invalid);
        }
        update(&store, owner(5, "Emil")).await.unwrap();
        let both = || async {
            let down = [user(4, "Dora"), user(5, "Emil")].map(Edit::UpdateUser);
            store.make(down.into()).await
        };
        refused!(both().await, Invalid);
        let (one, two) =
            tokio::join!(update(&store, user(4, "Dora")), update(&store, user(5, "Emil")));
        assert!(one.is_ok());
        refused!(two, Invalid);
        let swap = vec![Edit::UpdateUser(owner(4, "Dora")), Edit::UpdateUser(user(5, "Emil"))];
        store.make(swap).await.unwrap();
    });
}

#[test]
fn an_owner_among_many_people_is_found() {
    block_on(async {
        let store = Store::on(Memory::new()).await;
        let crowd = (0..600u16).map(|number| {
            let mut id = [1; 16];
            id[..2].copy_from_slice(&number.to_be_bytes());
            let owns = number == 0 || number == 599;
            let role = if owns { HouseRole::Owner } else { HouseRole::Member };
            let id = UserId::from_bytes(id);
            Edit::PutUser(User { id, role, ..user(1, &format!("user_{number}")) })
        });
        store.make(crowd.collect()).await.unwrap();
        let owners = store.users().await.unwrap();
        let mut owners = owners.into_iter().filter(|user| user.role == HouseRole::Owner);
        let (one, other) = (owners.next().unwrap(), owners.next().unwrap());
        update(&store, User { blocked: true, ..one }).await.unwrap();
        refused!(update(&store, User { blocked: true, ..other }).await, Invalid);
        let found = store.find_users("USER_59", None, 100).await.unwrap();
        let names: Vec<_> = found.iter().map(|user| &*user.name).collect();
        assert_eq!(names.len(), 11, "{names:?}");
        let page = store.find_users("user_", Some(found[10].id), 9).await.unwrap();
        assert!(page.is_empty());
        assert_eq!(store.find_users("", None, 9_999).await.unwrap().len(), 100);
    });
}

#[test]
fn people_are_found_by_how_either_name_begins() {
    on_each_engine(|store| async {
        let store = store.with_people().await;
        let dora = User { display_name: "Änne Bobic".into(), ..user(4, "Dora") };
        store.make(vec![Edit::PutUser(dora)]).await.unwrap();
        let found = async |beginning: &str, after: Option<u8>, limit| {
            let found = store.find_users(beginning, after.map(user_id), limit).await.unwrap();
            found.into_iter().map(|user| user.name).collect::<Vec<_>>()
        };
        assert_eq!(found("aN", None, 9).await, ["Anna", "Dora"]);
        assert_eq!(found("änne", None, 9).await, ["Dora"]);
        assert_eq!(found("anne\u{308} b", None, 9).await, ["Dora"]);
        assert_eq!(found("bob", None, 9).await, ["Bob"]);
        assert!(found("nna", None, 9).await.is_empty());
        assert_eq!(found("", None, 2).await, ["Anna", "Bob"]);
        assert_eq!(found("", Some(2), 9).await, ["Cem", "Dora"]);
    });
}

#[test]
fn who_is_blocked_or_whose_stay_is_over_opens_nothing_new() {
    on_each_engine(|store| async {
        let store = store.with_people().await;
        let opens = async |user: u8, at_ms| {
            for edit in [session(user), token(user)] {
                store.change(Change::of(vec![edit], at_ms)).await?;
            }
            Ok::<(), StoreError>(())
        };
        update(&store, User { blocked: true, ..user(1, "Anna") }).await.unwrap();
        refused!(opens(1, 5).await, Gone);
        refused!(store.make(vec![token(1)]).await, Gone);
        let guest = User { role: HouseRole::Guest, guest_until: Some(1_000), ..user(2, "Bob") };
        update(&store, guest).await.unwrap();
        refused!(opens(2, 1_000).await, Gone);
        opens(2, 999).await.unwrap();
        update(&store, user(1, "Anna")).await.unwrap();
        opens(1, 5).await.unwrap();
        let member = User { guest_until: Some(9), ..user(3, "Cem") };
        refused!(update(&store, member).await, Invalid);
    });
}

#[test]
fn a_bot_stays_a_bot_and_a_person_a_person() {
    on_each_engine(|store| async {
        let store = store.with_people().await;
        let bot = User { role: HouseRole::Bot, ..user(4, "robot") };
        store.make(vec![Edit::PutUser(bot.clone())]).await.unwrap();
        refused!(update(&store, User { role: HouseRole::Member, ..bot.clone() }).await, Invalid);
        refused!(update(&store, User { role: HouseRole::Bot, ..user(1, "Anna") }).await, Invalid);
        update(&store, User { status_text: "beep".into(), ..bot }).await.unwrap();
    });
}

#[test]
fn a_name_is_taken_whatever_its_case_and_free_again_when_it_changes() {
    on_each_engine(|store| async {
        let store = store.with_people().await;
        refused!(store.make(vec![Edit::PutUser(user(4, "aNNa"))]).await, NameTaken);
        refused!(store.make(vec![Edit::PutUser(user(1, "Dora"))]).await, IdTaken);
        refused!(store.make(vec![Edit::UpdateUser(user(2, "ANNA"))]).await, NameTaken);
        refused!(store.make(vec![Edit::UpdateUser(user(9, "Nobody"))]).await, NotFound);
        store.make(vec![Edit::UpdateUser(user(1, "ANNA"))]).await.unwrap();
        store.make(vec![Edit::UpdateUser(user(1, "Anja"))]).await.unwrap();
        store.make(vec![Edit::PutUser(user(4, "Anna"))]).await.unwrap();
        let id = async |name| store.user_by_name(name).await.unwrap().map(|user| user.id);
        assert_eq!(id("ANJA").await, Some(user_id(1)));
        assert_eq!(id("anna").await, Some(user_id(4)));
        assert_eq!(id("nobody").await, None);
        let names: Vec<_> =
            store.users().await.unwrap().into_iter().map(|user| user.name).collect();
        assert_eq!(names, ["Anja", "Bob", "Cem", "Anna"]);
    });
}

#[test]
fn cards_are_kept_in_order() {
    on_each_engine(|store| async {
        let store = store.with_people().await;
        let card = |card: &[u8]| Edit::PutCard { user: user_id(1), card: card.to_vec() };
        store.make(vec![card(b"one"), card(b"two"), card(b"two")]).await.unwrap();
        store.make(vec![card(b"two"), card(b"one")]).await.unwrap();
        let cards = store.cards(user_id(1)).await.unwrap();
        assert_eq!(cards, [b"one".to_vec(), b"two".to_vec(), b"one".to_vec()]);
        refused!(
            store.make(vec![Edit::PutCard { user: user_id(9), card: vec![] }]).await,
            NotFound
        );
    });
}

#[test]
fn somebody_has_so_many_cards_and_the_newest_again_is_none() {
    block_on(async {
        let limits = Limits { cards_per_user_max: 2, ..Limits::default() };
        let store = Store::open(Arc::new(Memory::new()), Arc::new(limits)).await.unwrap();
        let store = store.with_people().await;
        let card = |card: &[u8]| vec![Edit::PutCard { user: user_id(1), card: card.to_vec() }];
        store.make(card(b"one")).await.unwrap();
        store.make(card(b"two")).await.unwrap();
        refused!(store.make(card(b"three")).await, LimitReached);
        store.make(card(b"two")).await.unwrap();
        assert_eq!(store.cards(user_id(1)).await.unwrap().len(), 2);
    });
}

#[test]
fn a_name_is_what_the_seed_says() {
    on_each_engine(|store| async {
        let store = store.with_people().await;
        let longest = "a".repeat(20);
        for bad in ["", "ab", &"a".repeat(21), "an na", "änna", "a-b", "anna\n"] {
            let made = store.make(vec![Edit::PutUser(user(4, bad))]).await;
            assert!(matches!(made, Err(StoreError::Rule(Rule::BadName { .. }))), "{bad}: {made:?}");
            let renamed = update(&store, user(1, bad)).await;
            assert!(matches!(renamed, Err(StoreError::Rule(Rule::BadName { .. }))), "{bad}");
        }
        for (number, good) in (4..).zip(["bob_", "An0", &longest]) {
            let named = User { display_name: "Dora".into(), ..user(number, good) };
            store.make(vec![Edit::PutUser(named)]).await.unwrap();
        }
    });
}
