//! The limits of connections, of what waits in memory, and of the disk and its keys.

/// Gives the limits of `limits.rs` and those of this file to `limits`.
macro_rules! with_connections {
    ($limits:ident! { $($first:tt)* }) => {
        $limits! {
            $($first)*

    /// Connections of the broker in all.
    connections_max = 10_000;
    /// Connections of one identity.
    connections_per_identity_max = 100;
    /// Connections from one address (a home's reverse proxy is one address).
    connections_per_address_max = 2_000;
    /// HTTP connections in all: each can take a buffer of headers and one of TLS.
    http_connections_max = 4_000;
    /// HTTP connections from one address (a home's reverse proxy is one address).
    http_connections_per_address_max = 2_000;
    /// Bytes of a request's headers, its address included.
    http_header_bytes_max = 32 * 1024;
    /// Headers of a request.
    http_headers_max = 100;
    /// From a connection's begin, or the last answer, to the end of a request's headers, in ms.
    http_header_ms_max = 15_000;
    /// How long a client may take to send a JSON body, in ms.
    http_body_ms_max = 30_000;
    /// How long a client may not take any of what waits for it, in ms; over MQTT up to twice that.
    http_stall_ms_max = 30_000;
    /// How long a connection may carry nothing in either direction, in ms.
    http_idle_ms_max = 75_000;
    /// Requests at a time on one HTTP/2 connection.
    http_streams_max = 64;
    /// Requests that a client broke off and that were not looked at yet, on one HTTP/2 connection,
    /// and those broken off because it did wrong: more end it (CVE-2023-44487).
    http_resets_max = 32;
    /// Bytes that an HTTP/2 client may send ahead of what reads them, and that wait to be sent on a
    /// stream.
    http_window_bytes = 128 * 1024;
    /// Bytes of answers that wait to be taken, of all clients; a quarter of that of one address.
    http_answers_bytes_max = 64 * 1024 * 1024;
    /// How long open requests may take when the box stops, in ms.
    http_linger_ms_max = 5_000;
    /// How long a connection that was heard is looked at again before it sleeps, in µs
    /// (docs/decisions/0008); 0: it sleeps at once.
    attention_us = 50;
    /// From accept to a complete CONNECT, in ms.
    handshake_ms_max = 10_000;
    /// Bytes of a packet before CONNECT was accepted.
    connect_bytes_max = 16 * 1024;
    /// Bytes of an MQTT packet.
    packet_bytes_max = 128 * 1024;
    /// The longest keep-alive the broker agrees to, in s.
    keep_alive_s_max = 600;
    /// The longest session expiry, in s: a phone in a drawer for a month.
    session_expiry_s_max = 30 * 24 * 3_600;
    /// Unacknowledged QoS 1/2 publishes a client may have under way (receive maximum).
    receive_max = 64;
    /// Bytes of one identity's publishes that wait for their ruling, over all its connections: a
    /// connection that brings more ends.
    pending_bytes_per_identity_max = 16 * 1024 * 1024;
    /// Unacknowledged QoS 1/2 publishes the broker sends a client.
    in_flight_max = 64;
    /// Subscriptions of one session.
    subscriptions_max = 1_000;
    /// Subscriptions of one identity, over all its sessions: a filter of 31 levels holds 17 KB.
    subscriptions_per_identity_max = 2_000;
    /// Groups of shared subscriptions of one account: each gets a copy of a message.
    shared_groups_max = 100;
    /// Bytes of a topic or filter.
    topic_bytes_max = 1_024;
    /// Levels of a topic or filter.
    topic_levels_max = 32;
    /// Publishes of one identity in 1 s, over all its connections: far above what a home sends,
    /// far below what one connection could; 0 = no limit.
    publishes_per_s_max = 5_000;
    /// Publishes an identity may save up: a hub that comes back sends all its states at once.
    publishes_burst_max = 10_000;
    /// Topic aliases in each direction.
    topic_alias_max = 32;
    /// Messages waiting in one session.
    queued_messages_max = 10_000;
    /// Bytes waiting in one session.
    queued_bytes_max = 8 * 1024 * 1024;
    /// Bytes on their way to one identity, over all its sessions: what waits in them, and what was
    /// sent and is not acknowledged. A session that has nothing on its way gets one thing always,
    /// and each has this divided by `sessions_per_identity_max` for itself.
    queued_bytes_per_identity_max = 32 * 1024 * 1024;
    /// Bytes of answers waiting for a client at which nothing more is read from it.
    output_bytes_max = 256 * 1024;
    /// Retained messages outside Hearth's own topics.
    retained_max = 10_000;
    /// Bytes of them, topics included: what they may take of a small box's memory.
    retained_bytes_max = 32 * 1024 * 1024;
    /// Retained messages of one identity: one alone cannot take all the places.
    retained_per_identity_max = 5_000;
    /// Persistent sessions of one identity.
    sessions_per_identity_max = 100;
    /// Bytes of a client id.
    client_id_bytes_max = 256;
    /// Refused publishes of one MQTT 3.1.1 session that are known when they come again: as many as
    /// a bridge has under way at a time, and fewer.
    refusals_remembered_max = 16;
    /// Changed rows of sessions and retained messages that wait for a slow disk; then what needs
    /// more is refused.
    shelf_rows_waiting_max = 65_536;
    /// Bytes of those rows.
    shelf_bytes_waiting_max = 32 * 1024 * 1024;
    /// Accounts of which the last refused publish is kept to be shown.
    refusals_kept_max = 1_000;
    /// Between two doorbells that tell a person of refused publishes, in ms: a flood rings once.
    refusal_bell_gap_ms = 1_000;
    /// How long somebody without a connection still counts as online, in s (design §5).
    presence_grace_s = 30;
    /// Events read back from history at a time.
    backlog_events_max = 256;
    /// Bytes of history that were read for one identity and not sent yet, over all its connections:
    /// further ones read when there is room.
    history_bytes_per_identity_max = 32 * 1024 * 1024;
    /// Bytes of room events the bus remembers: a session that lags further reads history.
    bus_ring_bytes = 4 * 1024 * 1024;

    /// Listeners of `/api/ws` and of the stream of notifications in all.
    listeners_max = 2_000;
    /// Listeners of one person: some browsers with some tabs each.
    listeners_per_identity_max = 50;
    /// Things that wait for one listener; of a room that does not fit it reads on from the store,
    /// for anything else it has to come back.
    listener_items_max = 1_000;
    /// Bytes of what waits for one listener.
    listener_bytes_max = 1024 * 1024;
    /// How long a listener may take to take what it is sent, in s.
    listener_write_s_max = 30;
    /// Bytes of a client's event on `/api/ws`: a sealed event in base64 and what is around it.
    ws_frame_bytes_max = 128 * 1024;
    /// Bytes of the `ref` of a client's event, as JSON: enough for a UUID in any notation.
    ws_ref_bytes_max = 64;
    /// Rooms that one connection of `/api/ws` follows.
    ws_rooms_max = 500;
    /// Events that a client may send in 10 s: joining all rooms at once stays below; 0 = no limit.
    /// Twice as many end the connection.
    ws_events_per_10_s = 1_000;
    /// Between two pings on `/api/ws`, in s; a client that says nothing for two of them is gone.
    ws_ping_s = 30;
    /// Between two signs of life on the stream of notifications, in s.
    sse_keep_alive_s = 15;
    /// How long somebody counts as typing who says no more, in s (seed 004 @Presence).
    typing_s = 5;
    /// Minutes without doing anything after which somebody is away (design §5).
    away_minutes = 5;

    /// Appends that wait for the appender, before `in` is slowed.
    appends_waiting_max = 4_096;
    /// Events in one group commit.
    batch_events_max = 1_024;
    /// Bytes of the database's file that are free before it is compacted: fewer do not pay.
    compaction_free_bytes = 16 * 1024 * 1024;
    /// Percent of that file that are free before it is compacted: what is left is written once
    /// more, which wears a card. What was written message by message lies in pages that are half
    /// full: 36 %.
    compaction_free_percent = 30;
    /// Failing reads that one page of history may cost to bound what is damaged: one more than a
    /// page of events can need.
    damage_probes_max = 256;
    /// Receipts noted in memory before they are written without being asked.
    receipts_pending_max = 4_096;
    /// Rows that one commit of a sweep looks at: a fraction of a batch, so that writers wait for
    /// no more than that.
    sweep_rows_max = 250;
    /// How long a sweep rests between two commits, in ms: writers have the disk most of the time.
    sweep_pause_ms = 50;
    /// Between two rounds of sweeps, in s.
    sweep_gap_s = 60;
    /// Bytes of a row's value in a backup: the largest there are have a few hundred KiB.
    backup_row_bytes_max = 16 * 1024 * 1024;
    /// Days without a backup after which `doctor` says so.
    backup_age_days_max = 7;
    /// Recipients that one backup is sealed to.
    backup_recipients_max = 16;
    /// Bytes of redb's page cache.
    cache_bytes = 16 * 1024 * 1024;

    /// Characters of a new passphrase: four words, or 12 random letters and digits.
    passphrase_chars_min = 12;
    /// Bytes of a passphrase: a file given by mistake is not taken for one.
    passphrase_bytes_max = 1_024;
    /// log2 of the scrypt work of a new passphrase file: 128 MiB, 2 s or so on a Raspberry Pi.
    passphrase_work_log2 = 17;
    /// log2 of the scrypt work that is done at most: what stock age makes, 256 MiB.
    passphrase_work_log2_max = 18;
    /// The longest wait after wrong passphrases while the box waits to be unlocked, in s.
    unlock_wait_s_max = 60;
    /// Bytes of a key file, a credential or a wrapped key: each is far below.
    key_file_bytes_max = 16 * 1024;
    /// Bytes free on the data folder's disk, below which `hearth doctor` complains.
    free_bytes_low = 256 * 1024 * 1024;
        }
    };
}

pub(super) use with_connections;
