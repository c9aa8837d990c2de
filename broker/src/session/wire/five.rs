//! Packets of MQTT 5.

use std::num::{NonZeroU16, NonZeroU32};

use rmqtt_codec::v5::{self, UserProperties};

use super::{publication, qos};
use crate::gate::{Properties, Qos};
use crate::reason::Reason;
use crate::session::packet::{
    ConnAck, Connect, Granted, Handling, Incoming, Options, Outgoing, Subscribe, Will,
};

/// What a client sent.
pub(super) fn read(packet: v5::Packet) -> Incoming {
    match packet {
        v5::Packet::Connect(hello) => Incoming::Connect(Box::new(connect(*hello))),
        v5::Packet::Publish(publish) => publication(*publish),
        v5::Packet::PublishAck(ack) => Incoming::PubAck(ack.packet_id.get()),
        v5::Packet::PublishReceived(ack) => {
            Incoming::PubRec(ack.packet_id.get(), u8::from(ack.reason_code) < 0x80)
        }
        v5::Packet::PublishRelease(ack) => Incoming::PubRel(ack.packet_id.get()),
        v5::Packet::PublishComplete(ack) => Incoming::PubComp(ack.packet_id.get()),
        v5::Packet::Subscribe(subscribe) => Incoming::Subscribe(Box::new(Subscribe {
            id: subscribe.packet_id.get(),
            filters: subscribe.topic_filters.into_iter().map(|(f, o)| (f, options(o))).collect(),
            subscription_id: subscribe.id.map(NonZeroU32::get),
            user: subscribe.user_properties,
        })),
        v5::Packet::Unsubscribe(unsubscribe) => Incoming::Unsubscribe {
            id: unsubscribe.packet_id.get(),
            filters: unsubscribe.topic_filters,
        },
        v5::Packet::PingRequest => Incoming::Ping,
        v5::Packet::Disconnect(bye) => Incoming::Disconnect {
            with_will: bye.reason_code != v5::DisconnectReasonCode::NormalDisconnection,
            expiry_s: bye.session_expiry_interval_secs,
        },
        _ => Incoming::Unexpected,
    }
}

fn options(options: v5::SubscriptionOptions) -> Options {
    Options {
        qos: qos(options.qos),
        no_local: options.no_local,
        retain_as_published: options.retain_as_published,
        retained: match options.retain_handling {
            v5::RetainHandling::AtSubscribe => Handling::Always,
            v5::RetainHandling::AtSubscribeNew => Handling::IfNew,
            v5::RetainHandling::NoAtSubscribe => Handling::Never,
        },
    }
}

fn connect(connect: v5::Connect) -> Connect {
    Connect {
        client_id: connect.client_id,
        clean: connect.clean_start,
        keep_alive_s: connect.keep_alive,
        expiry_s: Some(connect.session_expiry_interval_secs),
        username: connect.username,
        password: connect.password,
        will: connect.last_will.map(|will| {
            Box::new(Will {
                topic: will.topic,
                payload: will.message,
                qos: qos(will.qos),
                retain: will.retain,
                delay_s: will.will_delay_interval_sec.unwrap_or(0),
                properties: Properties {
                    expiry_s: will.message_expiry_interval.map(NonZeroU32::get),
                    utf8: will.is_utf8_payload.unwrap_or(false),
                    content_type: will.content_type,
                    response_topic: will.response_topic,
                    correlation: will.correlation_data,
                    user: will.user_properties,
                },
            })
        }),
        receive_max: connect.receive_max.map_or(u16::MAX, NonZeroU16::get),
        packet_max: connect.max_packet_size.map(NonZeroU32::get),
        alias_max: connect.topic_alias_max,
        enhanced: connect.auth_method.is_some(),
    }
}

/// A reason as one of the codec's enums; what a packet cannot say becomes "unspecified".
fn say<T: TryFrom<u8>>(reason: Reason, unspecified: T) -> T {
    T::try_from(reason.code()).unwrap_or(unspecified)
}

fn ack(id: u16, reason: Reason, text: Option<String>) -> Option<v5::PublishAck> {
    // PUBACK has no "packet too large" (§3.4.2.1): it is a quota of the implementation.
    let reason = if reason == Reason::TooLarge { Reason::QuotaExceeded } else { reason };
    Some(v5::PublishAck {
        packet_id: NonZeroU16::new(id)?,
        reason_code: say(reason, v5::PublishAckReason::UnspecifiedError),
        properties: UserProperties::new(),
        reason_string: text.map(Into::into),
    })
}

fn ack2(id: u16, reason: Reason) -> Option<v5::PublishAck2> {
    Some(v5::PublishAck2 {
        packet_id: NonZeroU16::new(id)?,
        reason_code: say(reason, v5::PublishAck2Reason::PacketIdNotFound),
        ..Default::default()
    })
}

/// What a client is sent.
pub(super) fn write(packet: Outgoing) -> Option<v5::Packet> {
    Some(match packet {
        Outgoing::ConnAck(ack) => v5::Packet::ConnectAck(Box::new(connack(*ack))),
        Outgoing::PubAck(id, reason, text) => v5::Packet::PublishAck(ack(id, reason, text)?),
        Outgoing::PubRec(id, reason, text) => v5::Packet::PublishReceived(ack(id, reason, text)?),
        Outgoing::PubRel(id, reason) => v5::Packet::PublishRelease(ack2(id, reason)?),
        Outgoing::PubComp(id, reason) => v5::Packet::PublishComplete(ack2(id, reason)?),
        Outgoing::SubAck(id, granted) => v5::Packet::SubscribeAck(v5::SubscribeAck {
            packet_id: NonZeroU16::new(id)?,
            properties: UserProperties::new(),
            reason_string: None,
            status: granted.iter().map(status).collect(),
        }),
        Outgoing::UnsubAck(id, reasons) => v5::Packet::UnsubscribeAck(v5::UnsubscribeAck {
            packet_id: NonZeroU16::new(id)?,
            properties: UserProperties::new(),
            reason_string: None,
            status: reasons
                .into_iter()
                .map(|reason| say(reason, v5::UnsubscribeAckReason::UnspecifiedError))
                .collect(),
        }),
        Outgoing::Pong => v5::Packet::PingResponse,
        Outgoing::Disconnect(reason) => v5::Packet::Disconnect(v5::Disconnect::new(say(
            reason,
            v5::DisconnectReasonCode::UnspecifiedError,
        ))),
    })
}

fn status(granted: &Granted) -> v5::SubscribeAckReason {
    match granted {
        Ok(Qos::AtMostOnce) => v5::SubscribeAckReason::GrantedQos0,
        Ok(Qos::AtLeastOnce) => v5::SubscribeAckReason::GrantedQos1,
        Ok(Qos::ExactlyOnce) => v5::SubscribeAckReason::GrantedQos2,
        Err(reason) => say(*reason, v5::SubscribeAckReason::UnspecifiedError),
    }
}

fn connack(ack: ConnAck) -> v5::ConnectAck {
    if let Some((reason, text)) = ack.refused {
        return v5::ConnectAck {
            reason_code: say(reason, v5::ConnectAckReason::UnspecifiedError),
            reason_string: text.map(Into::into),
            ..Default::default()
        };
    }
    v5::ConnectAck {
        session_present: ack.session_present,
        session_expiry_interval_secs: ack.expiry_s,
        receive_max: NonZeroU16::new(ack.receive_max).unwrap_or(NonZeroU16::MAX),
        max_packet_size: Some(ack.packet_max),
        assigned_client_id: ack.assigned_id,
        topic_alias_max: ack.alias_max,
        server_keepalive_sec: ack.keep_alive_s,
        ..Default::default()
    }
}
