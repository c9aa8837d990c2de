//! Counts for those who watch the box: the broker's as `$SYS/broker/…` every 10 s, all of them at
//! `/metrics` when asked.

use std::fmt::{Arguments, Write};
use std::sync::Arc;
use std::time::Duration;

use hearth_broker::Counts;
use hearth_protocol::limits::wide;
use hearth_protocol::topic::{Number, Topic};
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};

use crate::app::App;

/// How often `$SYS` is published, as mosquitto does.
const EVERY: Duration = Duration::from_secs(10);

/// Publishes `$SYS` until `stop` turns true.
pub async fn publish(app: Arc<App>, mut stop: watch::Receiver<bool>) {
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
        let counts = app.broker.counts();
        for number in Number::ALL {
            let value = value(&counts, number).to_string();
            app.broker.publish(&Topic::Sys(number), value.into(), true);
        }
    }
}

const fn value(counts: &Counts, number: Number) -> u64 {
    match number {
        Number::Connected => counts.connections,
        Number::Received => counts.received,
        Number::Sent => counts.delivered,
        Number::Dropped => counts.dropped,
        Number::Retained => counts.retained,
    }
}

/// All counts in Prometheus' text format, version 0.0.4.
pub fn text(app: &App) -> String {
    let mut page = Page::default();
    broker(&mut page, &app.broker.counts());
    let [clear, tls, turned_away] = app.http.connections_now();
    page.head("hearth_http_connections", "gauge", "HTTP connections now, WebSockets included");
    page.row("hearth_http_connections", "door", "clear", clear);
    page.row("hearth_http_connections", "door", "tls", tls);
    page.one(
        "hearth_http_turned_away_total",
        "counter",
        "Connections over the bounds",
        turned_away,
    );
    page.head("hearth_http_answers_total", "counter", "Answers by the first digit of their status");
    for (class, count) in ["1xx", "2xx", "3xx", "4xx", "5xx"].into_iter().zip(app.http.answers()) {
        page.row("hearth_http_answers_total", "status", class, count);
    }
    let [commits, errors] = app.troubles.counts();
    page.one("hearth_store_commits_total", "counter", "Commits that are on disk", commits);
    page.one("hearth_store_errors_total", "counter", "Errors of the disk or the file", errors);
    let waiting = wide(app.store.waiting());
    page.one(
        "hearth_store_waiting",
        "gauge",
        "Appends and changes that wait for the disk",
        waiting,
    );
    page.text
}

fn broker(page: &mut Page, counts: &Counts) {
    let Counts { connections, sessions, retained, received, refused, .. } = *counts;
    let Counts { events, delivered, dropped, backlogs, bus_restarts, .. } = *counts;
    let rows = [
        ("connections", "gauge", "MQTT connections now", connections),
        ("sessions", "gauge", "MQTT sessions now, connected or not", sessions),
        ("retained_messages", "gauge", "Retained messages now", retained),
        ("publishes_received_total", "counter", "Publishes from clients", received),
        ("publishes_refused_total", "counter", "Publishes refused", refused),
        ("publishes_sent_total", "counter", "Publishes to clients", delivered),
        ("messages_dropped_total", "counter", "Messages dropped at full queues", dropped),
        ("room_events_total", "counter", "Room events published", events),
        ("backlogs_total", "counter", "Stretches read back from history", backlogs),
        ("bus_restarts_total", "counter", "Times the bus was started again", bus_restarts),
    ];
    for (name, kind, help, value) in rows {
        page.one(&format!("hearth_mqtt_{name}"), kind, help, value);
    }
}

/// A text that grows.
#[derive(Default)]
struct Page {
    text: String,
}

impl Page {
    fn head(&mut self, name: &str, kind: &str, help: &str) {
        self.put(format_args!("# HELP {name} {help}\n# TYPE {name} {kind}\n"));
    }

    fn row(&mut self, name: &str, label: &str, value: &str, count: u64) {
        self.put(format_args!("{name}{{{label}=\"{value}\"}} {count}\n"));
    }

    fn one(&mut self, name: &str, kind: &str, help: &str, count: u64) {
        self.head(name, kind, help);
        self.put(format_args!("{name} {count}\n"));
    }

    fn put(&mut self, lines: Arguments<'_>) {
        if self.text.write_fmt(lines).is_err() {
            tracing::error!("a text did not take a line");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::House;

    #[test]
    fn the_text_is_as_prometheus_reads_it() {
        let counts = Counts { connections: 3, delivered: 7, ..Counts::default() };
        let mut page = Page::default();
        broker(&mut page, &counts);
        let text = page.text;
        let begin = "# HELP hearth_mqtt_connections MQTT connections now\n\
                     # TYPE hearth_mqtt_connections gauge\nhearth_mqtt_connections 3\n";
        assert!(text.starts_with(begin), "{text}");
        assert!(text.contains("\nhearth_mqtt_publishes_sent_total 7\n"), "{text}");
        assert_eq!(text.lines().count(), 30);
    }

    #[tokio::test]
    async fn every_row_has_its_head_once_and_names_nobody() {
        let house = House::new().await;
        let text = text(&house.app);
        let mut known = std::collections::BTreeSet::new();
        for line in text.lines() {
            if let Some(head) = line.strip_prefix("# TYPE ") {
                let (name, kind) = head.split_once(' ').unwrap();
                assert!(known.insert(name.to_string()), "{name} twice");
                assert_eq!(kind == "counter", name.ends_with("_total"), "{name}");
            } else if !line.starts_with('#') {
                let (name, value) = line.rsplit_once(' ').unwrap();
                assert!(known.contains(name.split('{').next().unwrap()), "{line}");
                assert!(value.parse::<u64>().is_ok(), "{line}");
            }
        }
        assert!(known.len() > 13);
    }
}
