//! Every number that limits something, with its unit and its reason.
//!
//! Each can be set by name: `serve --limit messages_per_10_s=0` (0 lifts a rate).
//! [`connections`] has the second half, [`table`] makes the fields of these lines, [`units`] what
//! hours and days are in ms.

mod connections;
mod table;
#[cfg(test)]
mod tests;
mod units;

use std::fmt;

use connections::with_connections;
pub use table::LimitError;
use table::limits;
pub use units::{days_ms, hours_ms, seconds_ms, wide};

with_connections! { limits! {
    /// Messages of a person in any 10 s, over all doors (seed 004 @Validation); 0 = no limit.
    messages_per_10_s = 10;
    /// Posts a device may make in any 60 s (design §5); 0 = no limit.
    posts_per_60_s = 60;
    /// Reports one person makes in any hour; 0 = no limit.
    reports_per_hour = 30;
    /// Invites one person makes, and people they add to rooms, in any hour; 0 = no limit.
    invites_per_hour = 60;
    /// People whom one person asks to be a contact in any hour; 0 = no limit.
    contacts_per_hour = 60;
    /// Names that one person asks for in any day; 0 = no limit.
    renames_per_day = 5;
    /// Lines of the box that one person causes in any 60 s: joining, leaving, pins, names, roles.
    lines_per_60_s = 20;
    /// What one person may publish on live topics in any 10 s; 0 = no limit.
    live_per_10_s = 50;
    /// How long an ack is held back, or a connection not read, before a rate is refused, in ms
    /// (design §5).
    rate_delay_ms_max = 2_000;
    /// Characters of a message (seed 004 @Message).
    message_chars_max = 10_000;
    /// Bytes of an event or a door post on the wire (sealing.md §4, §5).
    event_bytes_max = 64 * 1024;
    /// Bytes on a live topic: that somebody writes, or the beginning of a call.
    live_bytes_max = 4 * 1024;
    /// Characters of a door post's title: a line on a phone.
    post_title_chars_max = 200;
    /// Characters of a door post's icon: an emoji, or a short name of one.
    post_icon_chars_max = 64;
    /// Characters of a room's name (seed 004 @Validation).
    room_name_chars_max = 100;
    /// Characters of a room's description: as a message's would be too long for a header line.
    room_description_chars_max = 1_000;
    /// Days that a room or the house keeps history at most, where not for ever: a century.
    keep_days_max = 36_525;
    /// GiB of history that a room keeps at most, where not all: a PiB, more than a box's disk.
    keep_gib_max = 1024 * 1024;
    /// Characters of a user's name at least (seed 004 @Validation).
    user_name_chars_min = 3;
    /// Characters of a user's name at most (seed 004 @Validation).
    user_name_chars_max = 20;
    /// Characters of a device's name: a level of a topic that people type.
    device_name_chars_max = 32;
    /// Characters of a display name (seed 004 @Validation).
    display_name_chars_max = 50;
    /// Minutes for which one's own message can be edited (seed 004 @API).
    edit_minutes = 15;
    /// Edits of one message: erasing it rewrites them all in one commit.
    edits_per_message_max = 100;
    /// Bytes of a reaction's emoji without U+FE0F: the longest families of emoji have some 40.
    emoji_bytes_max = 64;
    /// Reactions to one message, all people and emoji together: erasing it removes them in one
    /// commit.
    reactions_per_message_max = 1_000;
    /// Emoji of one message that a page of history names; `GET /messages/{id}/reactions` has all.
    reaction_emoji_shown_max = 20;
    /// People of one emoji that a page of history names, the first first.
    reaction_people_shown_max = 10;
    /// Pinned messages of one room: they lie in the room's own record.
    pins_per_room_max = 50;
    /// Characters of the reason of a mute, a ban or an erasure.
    reason_chars_max = 500;
    /// Minutes of a mute or ban that ends by itself: a year. Without an end it stays until lifted.
    sanction_minutes_max = 366 * 24 * 60;
    /// People muted or banned in one room: as many as can be in it.
    sanctions_per_room_max = 1_000;
    /// Messages on one page of history.
    page_messages_max = 200;
    /// Reads of the store for one page of messages, where most events are edits and reactions.
    /// The page is shorter then, and says how far it came.
    page_reads_max = 4;
    /// Newest events of a room that are looked at for its unread messages; each older one counts as
    /// a message.
    unread_events_max = 200;
    /// Characters of a room's last message in the list of rooms: a line.
    preview_chars_max = 200;
    /// Messages on a page when nobody says how many.
    page_messages_default = 50;
    /// Bytes of the entries on one page of a list, if that is more than one: what an answer may
    /// take of a small box's memory.
    page_bytes_max = 1024 * 1024;
    /// Bytes of a JSON body: two things of 256 KiB each, in base64, stay below.
    json_bytes_max = 1024 * 1024;
    /// Bytes of a JSON body that brings no token and no keys: a login, a refresh, a pairing.
    json_open_bytes_max = 16 * 1024;
    /// Bytes of JSON bodies that are on their way at a time from all who are signed in, and as many
    /// again from all others; a quarter of that from one address.
    bodies_bytes_max = 8 * 1024 * 1024;
    /// Bytes of a vault or of a recovery file.
    vault_bytes_max = 256 * 1024;
    /// Bytes of a bundle.
    bundle_bytes_max = 256 * 1024;
    /// Bundles on one page, and MiB of them: some of the largest, or many of the usual ones.
    page_bundles_max = 100;
    /// MiB of bundles on one page, if that is more than one.
    page_bundles_mib = 4;
    /// Epochs of one room in any 10 minutes: they are kept for ever. A household that moves in by
    /// one link makes one each.
    epochs_per_10_min = 300;
    /// Hours by which an epoch or a card may be ahead of the box's clock: what is far ahead would
    /// never grow old.
    made_ahead_hours_max = 24;
    /// Bytes of bundles that one person makes in a day, over all their rooms: thousands of epochs
    /// of a household, and years until they fill a disk; 0 = no limit.
    bundle_bytes_per_day = 64 * 1024 * 1024;
    /// Rooms that one person made and that are still there, direct ones not counted: many more than
    /// a household has, and few enough to look at when one more is made.
    rooms_per_user_max = 500;
    /// Bytes of an invite's blob.
    invite_blob_bytes_max = 4 * 1024;
    /// Days an invite lives when nobody says how many.
    invite_days_default = 7;
    /// Days an invite is still listed after it expired: longer than a client's clock is behind, so
    /// that the next epoch can leave it out.
    invite_over_days = 7;
    /// Invites of one room that can still be used. Each one into the house is one into the general
    /// room.
    invites_per_room_max = 500;
    /// Invites of one room that are listed, those that are over included.
    invites_listed_max = 2_000;
    /// Days an invite may live at most.
    invite_days_max = 365;
    /// Times an invite may be used at most.
    invite_uses_max = 1_000;
    /// Hours a JWT is valid (seed 004 @Authentication).
    token_hours = 24;
    /// Days a session lives after its last use (design §7).
    session_days = 90;
    /// Sessions and app tokens one person may hold.
    sessions_per_user_max = 100;
    /// How long a refresh secret that was just renewed still gives the same answer, in s: a client
    /// whose answer was lost asks again; after that its use is taken for a thief's.
    refresh_retry_s = 300;
    /// Rooms that an app token may be confined to.
    token_rooms_max = 32;
    /// Hours in which a link for a new password can be used.
    reset_hours = 24;
    /// Days for which a guest may be let in at most.
    guest_days_max = 365;
    /// Accounts that are made without an invite of their own, guests' included, in any hour.
    accounts_per_hour_max = 20;
    /// Networks in each list of addresses that are let in or not.
    address_rules_max = 256;
    /// Channels open at a time for pairing a new device, of all.
    pair_channels_max = 64;
    /// Channels that one address may have opened.
    pair_channels_per_address_max = 4;
    /// Messages of one pairing: two public keys and what is handed over.
    pair_messages_max = 3;
    /// Bytes of one of them.
    pair_message_bytes_max = 4 * 1024;
    /// How long a channel for pairing is open, in s.
    pair_s = 120;
    /// Devices of one room.
    devices_per_room_max = 250;
    /// Grants of one person or device: each is looked at for every plain message.
    grants_per_account_max = 32;
    /// Members of one room: the age file of a bundle grows by 98 B each (facts.md).
    members_per_room_max = 1_000;
    /// Failed logins of one name or address before each further try waits.
    login_tries_free = 5;
    /// The longest wait after failed logins, in s.
    login_wait_s_max = 900;
    /// Logins waiting for the one Argon2 of the box (design §7).
    login_queue_max = 8;
    /// Characters of a status text (seed 004 @User).
    status_text_chars_max = 100;
    /// Cards of one person: they are kept for ever, and each next epoch is checked against all.
    cards_per_user_max = 100;
    /// Contacts of one person: far more than a household's, so that one account cannot fill a disk.
    contacts_per_user_max = 1_000;
    /// Characters of the note on a contact: a line.
    contact_note_chars_max = 200;
    /// People whom one person blocks.
    blocks_per_user_max = 1_000;
    /// Notifications kept of one person; the oldest go first.
    notifications_per_user_max = 1_000;
    /// Characters of a message that its notification shows: two lines.
    notification_chars_max = 200;
    /// People whom one message names, as ids or as `@name`: looking each up costs a read.
    mentions_per_message_max = 100;
    /// Days a notification is kept (seed 004 @Notification).
    notification_days = 30;
    /// Characters of a report's reason.
    report_reason_chars_max = 1_000;
    /// Bytes of a report's sealed evidence: one event, as text and as wire, in an age file.
    report_evidence_bytes_max = 256 * 1024;
    /// Reports of one person that are kept, decided ones included.
    reports_per_user_max = 200;
    /// Characters of an audit entry's action: a word.
    audit_action_chars_max = 64;
    /// Bytes of an audit entry's detail, as JSON.
    audit_detail_bytes_max = 2 * 1024;
    /// Days an audit entry and a decided report are kept unless the settings say otherwise.
    audit_days = 180;
    /// People, notifications, reports or audit entries on one page.
    page_entries_max = 100;
    /// Bytes of an attachment (seed 004 @Attachment: 10 MB).
    attachment_bytes_max = 10 * 1024 * 1024;
    /// Bytes by which a client's sealing may make an attachment larger: age adds 16 for each
    /// 64 KiB and a header.
    attachment_sealing_bytes_max = 64 * 1024;
    /// Bytes of an attachment's file name: what file systems take.
    attachment_name_bytes_max = 255;
    /// Bytes of everything in an upload's form but the file: ids and the form's own lines.
    upload_form_bytes_max = 16 * 1024;
    /// Bytes of an avatar: it is shown small and often.
    avatar_bytes_max = 1024 * 1024;
    /// Attachments of one message.
    attachments_per_event_max = 10;
    /// Attachments of one person: each takes a row and a file, however small.
    attachments_per_user_max = 10_000;
    /// MiB of attachments of one person unless the settings say otherwise.
    attachment_user_mib = 1_024;
    /// MiB of all attachments unless the settings say otherwise: a third of a 32 GB card.
    attachment_house_mib = 10 * 1_024;
    /// Hours an attachment waits for the message or avatar that shows it.
    attachment_unbound_hours = 24;
    /// Uploads under way in all: what they hold on disk is outside every quota until they end.
    uploads_max = 16;
    /// Uploads under way of one person.
    uploads_per_user_max = 4;
    /// How long whoever uploads may send nothing, in ms.
    upload_idle_ms_max = 30_000;
    /// From the first byte of an upload to its last, in s: 10 MB at 100 kbit/s.
    upload_s_max = 900;
    /// How long the virus scanner may take to accept a connection, a piece, or to answer, in ms.
    scan_ms_max = 30_000;
    /// Pixels of the longer side of a small picture.
    thumbnail_side_px = 320;
    /// Bytes of a small picture.
    thumbnail_bytes_max = 512 * 1024;
    /// Pixels of an image of which a small picture is made.
    image_pixels_max = 24_000_000;
    /// Bytes that reading such an image may take in memory; one is read at a time.
    image_memory_bytes_max = 128 * 1024 * 1024;
    /// Small pictures that wait to be made; others are made when somebody asks again.
    thumbnails_waiting_max = 64;
} }
