//! Lists in pages: whatever comes while somebody goes through one, each entry that was there comes
//! exactly once, for every size of a page and at every edge. (History: `api/messages/tests/pages`.)

use hearth_protocol::ids::{EventId, NotificationId, ReportId, RoomId};
use hearth_protocol::limits::Limits;
use hearth_protocol::role::{HouseRole, RoomType, Sealing};
use hearth_store::{Edit, Notification, NotificationKind, Report, Subject};
use serde_json::Value;

use crate::audit::{AuditAction, entry};
use crate::clock::random;
use crate::testing::{House, Person};

/// What is listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum List {
    NotificationsDown,
    NotificationsUp,
    Audit,
    ReportsOpen,
    ReportsDecided,
    People,
    Search,
    PublicRooms,
}

const LISTS: [List; 8] = [
    List::NotificationsDown,
    List::NotificationsUp,
    List::Audit,
    List::ReportsOpen,
    List::ReportsDecided,
    List::People,
    List::Search,
    List::PublicRooms,
];

impl List {
    /// Where it is, and the name of its cursor.
    fn place(self) -> (&'static str, &'static str) {
        match self {
            List::NotificationsDown => ("/api/notifications?", "before"),
            List::NotificationsUp => ("/api/notifications?", "after"),
            List::Audit => ("/api/audit?", "before"),
            List::ReportsOpen => ("/api/reports?status=open&", "after"),
            List::ReportsDecided => ("/api/reports?status=decided&", "before"),
            List::People => ("/api/users?", "after"),
            List::Search => ("/api/users/search?q=zz&", "after"),
            List::PublicRooms => ("/api/rooms/public?", "after"),
        }
    }

    fn field(self) -> &'static str {
        match self {
            List::NotificationsDown | List::NotificationsUp => "notifications",
            List::Audit => "entries",
            List::ReportsOpen | List::ReportsDecided => "reports",
            List::People | List::Search => "users",
            List::PublicRooms => "rooms",
        }
    }

    /// Where the first page begins; `None`: at the end that it goes from.
    fn start(self) -> Option<String> {
        (self == List::NotificationsUp).then(|| NotificationId::lowest(1).to_string())
    }
}

/// Somebody who goes through lists, and what is in them.
struct Reader {
    house: House,
    anna: Person,
    ben: Person,
    cleo: Person,
    room: RoomId,
}

impl Reader {
    async fn new(page_bytes_max: usize) -> Reader {
        let house = House::with(Limits { page_bytes_max, ..Limits::default() }).await;
        let anna = house.person("zz_anna", HouseRole::Owner).await;
        let ben = house.person("zz_ben", HouseRole::Member).await;
        let cleo = house.person("zz_cleo", HouseRole::Member).await;
        let room = house.room(RoomType::Private, Sealing::Open, &[&anna, &ben, &cleo]).await;
        Reader { house, anna, ben, cleo, room }
    }

    /// One more entry at the list's newest end; its id.
    async fn add(&self, list: List) -> String {
        self.house.later(1);
        let now = self.house.app.clock.now_ms();
        match list {
            List::NotificationsDown | List::NotificationsUp => {
                let id = NotificationId::new(now, random());
                let alert = Notification {
                    id,
                    recipient: self.anna.id,
                    kind: NotificationKind::RoomInvite,
                    room: self.room,
                    event: None,
                    position: None,
                    by: Some(self.ben.id),
                    created_at: now,
                    read: false,
                };
                self.house.change(vec![Edit::PutNotification(alert)]).await;
                id.to_string()
            }
            List::Audit => {
                let told = entry(now, None, AuditAction::ClockTrust, Subject::House, Value::Null);
                let id = told.id;
                self.house.change(vec![Edit::PutAudit(told)]).await;
                id.to_string()
            }
            List::ReportsOpen | List::ReportsDecided => self.report(list).await,
            List::People | List::Search => {
                let name = format!("zz{}", now % 1_000_000);
                self.house.person(&name, HouseRole::Member).await.id.to_string()
            }
            List::PublicRooms => {
                let room = self.house.room(RoomType::Public, Sealing::Open, &[&self.ben]).await;
                room.to_string()
            }
        }
    }

    async fn report(&self, list: List) -> String {
        let path = format!("/api/rooms/{}/messages", self.room);
        // Not too fast for Ben.
        self.house.later(10_000);
        let now = self.house.app.clock.now_ms();
        let said = serde_json::json!({ "content": "x", "id": EventId::new(now, random()) });
        let ben = self.house.again(&self.ben).await;
        let said = self.house.post(&path, &ben, said).await.is(201);
        let report = Report {
            id: ReportId::new(now, random()),
            by: self.cleo.id,
            room: self.room,
            event: said["id"].as_str().unwrap().parse().unwrap(),
            reason: "spam".into(),
            evidence: None,
            created_at: now,
            decided: None,
        };
        let id = report.id;
        self.house.change(vec![Edit::PutReport(report)]).await;
        if list == List::ReportsDecided {
            let anna = self.house.again(&self.anna).await;
            let decide = serde_json::json!({ "decision": "dismiss" });
            let path = format!("/api/reports/{id}");
            self.house.call("PATCH", &path, Some(&anna), decide).await.is(204);
        }
        id.to_string()
    }

    /// Goes through it, one more coming after each page; the ids that were seen.
    async fn through(&self, list: List, limit: usize) -> Vec<String> {
        let ((path, cursor), mut at) = (list.place(), list.start());
        let mut seen = vec![];
        for _ in 0..100 {
            let from = at.as_ref().map(|at| format!("&{cursor}={at}")).unwrap_or_default();
            let anna = self.house.again(&self.anna).await;
            let page = self.house.get(&format!("{path}limit={limit}{from}"), &anna).await.is(200);
            let entries = page[list.field()].as_array().unwrap();
            let id = |entry: &Value| entry["id"].as_str().unwrap().to_string();
            let ids: Vec<_> = entries.iter().map(id).collect();
            assert!(ids.len() <= limit, "{list:?}");
            // What comes after a notification is shown the newest first, too.
            let next = if list == List::NotificationsUp { ids.first() } else { ids.last() };
            let Some(next) = next.cloned() else { return seen };
            at = Some(next);
            seen.extend(ids);
            // A list that grows at the end that is gone to would have none.
            if seen.len() < 40 {
                self.add(list).await;
            }
        }
        panic!("{list:?} by {limit} has no end: {seen:?}");
    }
}

#[tokio::test]
async fn each_entry_comes_once_whatever_comes_meanwhile() {
    for list in LISTS {
        let usual = Limits::default().page_bytes_max;
        // The last ones are cut by their bytes.
        for (limit, bytes) in [(1, usual), (2, usual), (3, usual), (7, usual), (7, 1), (7, 900)] {
            let reader = Reader::new(bytes).await;
            let mut there = vec![];
            for _ in 0..6 {
                there.push(reader.add(list).await);
            }
            let seen = reader.through(list, limit).await;
            for id in &there {
                let times = seen.iter().filter(|other| *other == id).count();
                assert_eq!(times, 1, "{list:?} by {limit}: {id} of {seen:?}");
            }
            let mut once = seen.clone();
            once.sort_unstable();
            once.dedup();
            assert_eq!(once.len(), seen.len(), "{list:?} by {limit}: nothing comes twice");
        }
    }
}
