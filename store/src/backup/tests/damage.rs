//! Files that are no backup, or none any more: each is refused, and no folder is made of it.

use std::fs;

use super::super::frame::{Header, Writer};
use super::{Place, back_up, blocking, house, wait};
use crate::sim_disk::Dice;

#[test]
fn a_backup_that_was_cut_or_changed_anywhere_is_refused_and_makes_no_folder() {
    blocking(|| {
        let place = Place::new();
        let store = wait(house());
        back_up(&place, &store).unwrap();
        wait(store.close());
        let whole = fs::read(place.at("house.backup")).unwrap();
        let mut dice = Dice::new(1);
        let roll = |dice: &mut Dice| usize::try_from(dice.roll(whole.len() as u64)).unwrap();
        let mut broken = vec![];
        for round in 0..400 {
            let at = if round < 200 { round } else { roll(&mut dice) };
            broken.push((format!("cut at {at}"), whole[..at].to_vec()));
            let mut flipped = whole.clone();
            flipped[at] ^= 1 << dice.roll(8);
            broken.push((format!("changed at {at}"), flipped));
        }
        for at in whole.len() - 50..whole.len() {
            broken.push((format!("cut at {at}"), whole[..at].to_vec()));
        }
        broken.push(("longer".into(), [&whole[..], b"x"].concat()));
        for (round, (what, bytes)) in broken.into_iter().enumerate() {
            fs::write(place.at("house.backup"), bytes).unwrap();
            let error = if round % 50 == 0 { place.restore() } else { place.check() };
            let error = error.err().unwrap_or_else(|| panic!("{what}: it was taken"));
            let text = error.to_string();
            let clear = ["does not open", "is damaged"].iter().any(|word| text.contains(word));
            assert!(clear && text.contains("house.backup"), "{what}: {text}");
            assert_eq!(place.names(), ["house.backup"], "{what}");
        }
    });
}

#[test]
fn only_parts_in_order_and_an_end_that_fits_are_a_backup() {
    let header = Header { house: "Home".into(), made_at: 1, layout: 1 };
    let inside = |write: &dyn Fn(&mut Writer<Vec<u8>>) -> std::io::Result<()>| {
        let mut writer = Writer::new(vec![], &header).unwrap();
        write(&mut writer).unwrap();
        writer.finish().unwrap()
    };
    let good = inside(&|out| {
        out.row(b"0", &1_u32.to_be_bytes())?;
        out.row(b"k", b"v")?;
        out.file("ab/c")?;
        out.data(b"bytes")
    });
    let at = good.windows(5).position(|part| part == b"bytes").unwrap();
    let other = [&good[..at], b"bites", &good[at + 5..]].concat();
    let newer = [b"hearth-backup\n\x02", &good[15..]].concat();
    let layout = Header { layout: 9, ..header.clone() };
    let layout = Writer::new(vec![], &layout).unwrap().finish().unwrap();
    let cases: [(&str, Vec<u8>); 12] = [
        ("", good.clone()),
        ("is an age file, but not a backup", b"a letter".to_vec()),
        ("has format 2, this program knows 1", newer),
        ("version 9, this program knows 2", layout),
        ("something follows its end", [&good[..], b"H"].concat()),
        ("is damaged", good[..good.len() - 1].to_vec()),
        ("not what its end says", other),
        ("rows are not in order", inside(&|out| out.row(b"b", b"").and(out.row(b"a", b"")))),
        ("rows are not in order", inside(&|out| out.row(b"a", b"").and(out.row(b"a", b"")))),
        ("in disorder", inside(&|out| out.file("a/b").and(out.row(b"a", b"")))),
        ("in disorder", inside(&|out| out.file("../authorized_keys"))),
        ("in disorder", inside(&|out| out.data(b"of no file"))),
    ];
    blocking(move || {
        for (refused, bytes) in cases {
            let place = Place::new();
            place.put_inside(&bytes);
            match place.restore() {
                Ok(_) => assert_eq!(refused, ""),
                Err(error) => {
                    let text = error.to_string();
                    assert!(!refused.is_empty() && text.contains(refused), "{refused}: {text}");
                    assert_eq!(place.names(), ["house.backup"], "{refused}");
                }
            }
        }
    });
}
