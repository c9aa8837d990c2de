//! The texts that a message had, as many as fit into an answer.

use super::*;

#[tokio::test]
async fn every_text_that_a_message_had_comes_once_however_little_fits() {
    for page_bytes_max in [1, 400, Limits::default().page_bytes_max] {
        let limits = Limits { page_bytes_max, messages_per_10_s: 0, ..Limits::default() };
        let open = Open::with(limits).await;
        let message = open.say(&open.anna, "text 0").await;
        for number in 1..6 {
            let body = json!({ "content": format!("text {number}") });
            open.house.call("PUT", &message, Some(&open.anna), body).await.is(200);
        }
        let (mut texts, mut after, mut pages) = (vec![], json!(0), 0);
        loop {
            let path = format!("{message}/edits?after={after}");
            let page = open.house.get(&path, &open.ben).await.is(200);
            let edits = page["edits"].as_array().unwrap();
            texts.extend(edits.iter().map(|edit| edit["content"].as_str().unwrap().to_string()));
            pages += 1;
            if page["more"] == json!(false) {
                break;
            }
            after = edits.last().unwrap()["position"].clone();
        }
        let all: Vec<_> = (0..6).map(|number| format!("text {number}")).collect();
        assert_eq!(texts, all, "{page_bytes_max}");
        assert_eq!(pages == 1, page_bytes_max > 400, "{pages} pages of {page_bytes_max}");
        let beyond = open.house.get(&format!("{message}/edits?after=99"), &open.ben).await.is(200);
        assert_eq!(beyond, json!({ "edits": [], "more": false }));
        let wrong = open.house.get(&format!("{message}/edits?after=x"), &open.ben).await;
        assert_eq!(wrong.code(), "bad_query");
    }
}
