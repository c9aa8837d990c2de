//! The broker's counts for those who watch it: `$SYS/broker/…` every 10 s, `/metrics` when asked.

use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use hearth_broker::Counts;
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

/// The counts in Prometheus' text format, version 0.0.4.
pub fn text(counts: &Counts) -> String {
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
    let mut text = String::new();
    for (name, kind, help, value) in rows {
        let name = format!("hearth_mqtt_{name}");
        let lines = format_args!("# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}\n");
        if text.write_fmt(lines).is_err() {
            // A String takes everything.
            break;
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_is_as_prometheus_reads_it() {
        let counts = Counts { connections: 3, delivered: 7, ..Counts::default() };
        let text = text(&counts);
        let begin = "# HELP hearth_mqtt_connections MQTT connections now\n\
                     # TYPE hearth_mqtt_connections gauge\nhearth_mqtt_connections 3\n";
        assert!(text.starts_with(begin), "{text}");
        assert!(text.contains("\nhearth_mqtt_publishes_sent_total 7\n"), "{text}");
        assert_eq!(text.lines().count(), 30);
    }
}
