//! Packets of MQTT 3.1 and 3.1.1.

use std::num::NonZeroU16;

use rmqtt_codec::types::QoS as CodecQos;
use rmqtt_codec::v3;

use super::{publication, qos};
use crate::gate::{Properties, Qos};
use crate::session::packet::{
    Connect, Granted, Handling, Incoming, Options, Outgoing, Subscribe, Will,
};

/// What a client sent.
pub(super) fn read(packet: v3::Packet) -> Incoming {
    match packet {
        v3::Packet::Connect(hello) => Incoming::Connect(Box::new(connect(*hello))),
        v3::Packet::Publish(publish) => publication(*publish),
        v3::Packet::PublishAck { packet_id } => Incoming::PubAck(packet_id.get()),
        v3::Packet::PublishReceived { packet_id } => Incoming::PubRec(packet_id.get(), true),
        v3::Packet::PublishRelease { packet_id } => Incoming::PubRel(packet_id.get()),
        v3::Packet::PublishComplete { packet_id } => Incoming::PubComp(packet_id.get()),
        v3::Packet::Subscribe { packet_id, topic_filters } => {
            let options = |max| Options {
                qos: qos(max),
                no_local: false,
                retain_as_published: false,
                retained: Handling::Always,
            };
            Incoming::Subscribe(Box::new(Subscribe {
                id: packet_id.get(),
                filters: topic_filters.into_iter().map(|(f, max)| (f, options(max))).collect(),
                subscription_id: None,
                user: Vec::new(),
            }))
        }
        v3::Packet::Unsubscribe { packet_id, topic_filters } => {
            Incoming::Unsubscribe { id: packet_id.get(), filters: topic_filters }
        }
        v3::Packet::PingRequest => Incoming::Ping,
        v3::Packet::Disconnect => Incoming::Disconnect { with_will: false, expiry_s: None },
        _ => Incoming::Unexpected,
    }
}

fn connect(connect: v3::Connect) -> Connect {
    Connect {
        client_id: connect.client_id,
        clean: connect.clean_session,
        keep_alive_s: connect.keep_alive,
        expiry_s: connect.clean_session.then_some(0),
        username: connect.username,
        password: connect.password,
        will: connect.last_will.map(|will| {
            Box::new(Will {
                topic: will.topic,
                payload: will.message,
                qos: qos(will.qos),
                retain: will.retain,
                properties: Properties::default(),
                delay_s: 0,
            })
        }),
        receive_max: u16::MAX,
        packet_max: None,
        alias_max: 0,
        enhanced: false,
    }
}

/// What a client is sent, if 3.1.1 has a packet for it.
pub(super) fn write(packet: Outgoing) -> Option<v3::Packet> {
    Some(match packet {
        Outgoing::ConnAck(ack) => {
            let code = ack.refused.map_or(0, |(reason, _)| reason.v3());
            v3::Packet::ConnectAck(v3::ConnectAck {
                return_code: v3::ConnectAckReason::try_from(code).ok()?,
                session_present: ack.session_present,
            })
        }
        // 3.1.1 cannot say no: whoever refuses closes instead.
        Outgoing::PubAck(id, reason, _) if !reason.is_failure() => {
            v3::Packet::PublishAck { packet_id: NonZeroU16::new(id)? }
        }
        Outgoing::PubRec(id, reason, _) if !reason.is_failure() => {
            v3::Packet::PublishReceived { packet_id: NonZeroU16::new(id)? }
        }
        Outgoing::PubRel(id, _) => v3::Packet::PublishRelease { packet_id: NonZeroU16::new(id)? },
        Outgoing::PubComp(id, _) => v3::Packet::PublishComplete { packet_id: NonZeroU16::new(id)? },
        Outgoing::SubAck(id, granted) => v3::Packet::SubscribeAck {
            packet_id: NonZeroU16::new(id)?,
            status: granted.iter().map(status).collect(),
        },
        Outgoing::UnsubAck(id, _) => v3::Packet::UnsubscribeAck { packet_id: NonZeroU16::new(id)? },
        Outgoing::Pong => v3::Packet::PingResponse,
        Outgoing::PubAck(..) | Outgoing::PubRec(..) | Outgoing::Disconnect(_) => return None,
    })
}

fn status(granted: &Granted) -> v3::SubscribeReturnCode {
    match granted {
        Ok(Qos::AtMostOnce) => v3::SubscribeReturnCode::Success(CodecQos::AtMostOnce),
        Ok(Qos::AtLeastOnce) => v3::SubscribeReturnCode::Success(CodecQos::AtLeastOnce),
        Ok(Qos::ExactlyOnce) => v3::SubscribeReturnCode::Success(CodecQos::ExactlyOnce),
        Err(_) => v3::SubscribeReturnCode::Failure,
    }
}
