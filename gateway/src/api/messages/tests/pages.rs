//! Pages: each message once and in order, whatever the size of a page and from wherever one goes.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

/// What somebody does in the room.
#[derive(Debug, Clone)]
enum Act {
    Say,
    Edit(prop::sample::Index),
    React(prop::sample::Index),
    Erase(prop::sample::Index),
}

fn act() -> impl Strategy<Value = Act> {
    let index = any::<prop::sample::Index>;
    prop_oneof![
        4 => Just(Act::Say),
        1 => index().prop_map(Act::Edit),
        1 => index().prop_map(Act::React),
        1 => index().prop_map(Act::Erase),
    ]
}

/// Does it all; gives what the messages say in the end, by position.
async fn play(open: &Open, acts: &[Act]) -> BTreeMap<u64, String> {
    let mut said: Vec<(String, u64)> = vec![];
    let mut texts = BTreeMap::new();
    for (number, act) in acts.iter().enumerate() {
        open.house.later(1_000);
        let pick = |index: &prop::sample::Index| said[index.index(said.len())].clone();
        match act {
            Act::Edit(at) if !said.is_empty() => {
                let (path, position) = pick(at);
                let text = json!({ "content": format!("edit {number}") });
                if open.house.put(&path, &open.anna, text).await.status == 200 {
                    texts.insert(position, format!("edit {number}"));
                }
            }
            Act::React(at) if !said.is_empty() => {
                let path = format!("{}/reactions", pick(at).0);
                open.house.post(&path, &open.anna, json!({ "emoji": "👍" })).await;
            }
            Act::Erase(at) if !said.is_empty() => {
                let (path, position) = pick(at);
                if open.house.delete(&path, &open.anna).await.status == 204 {
                    texts.insert(position, "[deleted]".into());
                }
            }
            _ => {
                let path = open.say(&open.anna, &format!("text {number}")).await;
                let message = open.house.get(&path, &open.anna).await.is(200);
                let position = message["position"].as_u64().unwrap();
                said.push((path, position));
                texts.insert(position, format!("text {number}"));
            }
        }
    }
    texts
}

/// Walks a whole room page by page; gives what was shown, in the order of the room.
async fn walk(open: &Open, limit: usize, ascending: bool, raw: bool) -> Vec<(u64, String)> {
    let mut place = None;
    let mut shown = vec![];
    // Every page speaks for at least one position.
    for _ in 0..1_000 {
        let place_query = match (place, ascending) {
            (None, true) => "&after=0".to_string(),
            (None, false) => String::new(),
            (Some(at), true) => format!("&after={at}"),
            (Some(at), false) => format!("&before={at}"),
        };
        let raw = if raw { "&raw=1" } else { "" };
        let path = format!("/api/rooms/{}/messages?limit={limit}{place_query}{raw}", open.room);
        let page = open.house.get(&path, &open.anna).await.is(200);
        let messages = page["messages"].as_array().unwrap();
        assert!(messages.len() <= limit);
        let bytes: usize = messages.iter().map(|item| item.to_string().len()).sum();
        assert!(messages.len() <= 1 || bytes <= open.house.app.limits.page_bytes_max);
        let items: Vec<_> = messages
            .iter()
            .map(|item| {
                let text = item["content"].as_str().unwrap_or_default().to_string();
                (item["position"].as_u64().unwrap(), text)
            })
            .collect();
        let Some(covered) = page["covered"].as_object() else { return shown };
        let (from, to) = (covered["from"].as_u64().unwrap(), covered["to"].as_u64().unwrap());
        assert!(items.iter().all(|(position, _)| (from..=to).contains(position)));
        assert!(items.is_sorted());
        if ascending {
            assert!(place.is_none_or(|at| from > at), "beside the page before");
            shown.extend(items);
            place = Some(to);
        } else {
            assert!(place.is_none_or(|at| to < at), "beside the page before");
            shown.splice(0..0, items);
            place = Some(from);
        }
    }
    panic!("the pages have no end");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn every_message_is_shown_once_and_in_order(
        acts in prop::collection::vec(act(), 1..40), limit in 1usize..12, ascending: bool,
        page_bytes_max in prop_oneof![Just(1_000_000), 1usize..3_000],
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let limits = Limits { page_bytes_max, messages_per_10_s: 0, ..Limits::default() };
            let open = Open::with(limits).await;
            let texts = play(&open, &acts).await;
            let shown = walk(&open, limit, ascending, false).await;
            let expected: Vec<_> = texts.into_iter().collect();
            assert_eq!(shown, expected, "as they are now");
            let raw = walk(&open, limit, ascending, true).await;
            let positions: Vec<_> = raw.iter().map(|(position, _)| *position).collect();
            let head = positions.last().copied().unwrap_or_default();
            assert_eq!(positions, (1..=head).collect::<Vec<_>>(), "every event");
        });
    }

    #[test]
    fn a_page_around_a_place_or_since_a_time_holds_what_it_should(
        count in 1u64..30, at in 1u64..30, limit in 1usize..12,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let open = Open::new().await;
            for number in 1..=count {
                open.house.later(1_000);
                open.say(&open.anna, &number.to_string()).await;
            }
            let at = at.min(count);
            let positions = |page: Vec<Value>| {
                page.iter().map(|item| item["position"].as_u64().unwrap()).collect::<Vec<_>>()
            };
            let around = positions(open.page(&format!("around={at}&limit={limit}")).await);
            assert!(around.contains(&at), "{around:?}");
            assert!(around.windows(2).all(|two| two[0] + 1 == two[1]), "{around:?}");
            assert_eq!(around.len(), limit.min(usize::try_from(count).unwrap()));
            let since = BEGINS_MS + at * 1_000;
            let since = positions(open.page(&format!("since={since}&limit={limit}")).await);
            let last = count.min(at + u64::try_from(limit).unwrap() - 1);
            assert_eq!(since, (at..=last).collect::<Vec<_>>());
        });
    }
}

#[tokio::test]
async fn a_place_or_a_limit_that_is_none_is_told() {
    let open = Open::new().await;
    let path = open.say(&open.anna, "hi").await;
    let id = path.rsplit('/').next().unwrap();
    let other = EventId::new(1, random());
    for (query, code) in [
        ("limit=1".into(), "200"),
        ("limit=200".into(), "200"),
        ("limit=0".into(), "bad_limit"),
        ("limit=201".into(), "bad_limit"),
        (format!("before={id}"), "200"),
        (format!("around={id}"), "200"),
        (format!("before={other}"), "bad_place"),
        ("after=soon".into(), "bad_place"),
        ("after=1&before=2".into(), "bad_place"),
        ("since=-1".into(), "bad_query"),
    ] {
        let path = format!("/api/rooms/{}/messages?{query}", open.room);
        assert_eq!(open.house.get(&path, &open.anna).await.code(), code, "{query}");
    }
}

#[tokio::test]
async fn a_page_has_50_messages_where_nobody_says_how_many() {
    let open = Open::new().await;
    for number in 0..51 {
        open.say(&open.anna, &number.to_string()).await;
    }
    let page = open.page("").await;
    assert_eq!((page.len(), &page[0]["content"]), (50, &json!("1")));
}

#[tokio::test]
async fn a_page_has_so_many_bytes_also_of_long_edits_and_around_a_place() {
    let limits = Limits { page_bytes_max: 10_000, messages_per_10_s: 0, ..Limits::default() };
    let open = Open::with(limits).await;
    for _ in 0..8 {
        let path = open.say(&open.anna, "short").await;
        let text = json!({ "content": "x".repeat(2_000) });
        open.house.put(&path, &open.anna, text).await.is(200);
    }
    // Messages lie at 1, 3, 5 …, each with its edit behind it.
    for (query, expected) in [
        ("limit=50", vec![9, 11, 13, 15]),
        ("after=0&limit=50", vec![1, 3, 5, 7]),
        ("around=9&limit=50", vec![7, 9, 11, 13]),
    ] {
        let page = open.page(query).await;
        let at: Vec<_> = page.iter().map(|item| item["position"].as_u64().unwrap()).collect();
        assert_eq!(at, expected, "{query}");
    }
}
