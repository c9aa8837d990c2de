//! The disk of the tests does to bytes what it says.

use super::*;

fn read(disk: &SimDisk, offset: u64, len: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; len];
    disk.read_at(offset, &mut bytes)?;
    Ok(bytes)
}

#[test]
fn a_cut_leaves_what_was_synced_and_any_part_of_the_rest() {
    let disk = SimDisk::new();
    disk.write_at(0, &[1; 2048]).unwrap();
    disk.sync().unwrap();
    disk.write_at(0, &[2; 2048]).unwrap();
    let images: BTreeSet<_> =
        (0..200).map(|seed| disk.after_power_cut(&mut Dice::new(seed))).collect();
    assert!(images.contains(&vec![1; 2048]) && images.contains(&vec![2; 2048]));
    let torn = |image: &Vec<u8>| image.contains(&1) && image.contains(&2);
    assert!(images.iter().any(torn));
    let sector_is_whole = |sector: &[u8]| sector.iter().all(|byte| *byte == sector[0]);
    assert!(images.iter().all(|image| image.chunks(SECTOR).all(sector_is_whole)));
}

#[test]
fn a_disk_that_lies_keeps_nothing_for_certain() {
    let disk = SimDisk::new();
    disk.lie();
    disk.write_at(0, &[1; 512]).unwrap();
    disk.sync().unwrap();
    assert!((0..20).any(|seed| disk.after_power_cut(&mut Dice::new(seed)).is_empty()));
}

#[test]
fn a_full_disk_overwrites_and_says_no_to_more_until_there_is_space() {
    let disk = SimDisk::new();
    disk.write_at(0, &[1; 4096]).unwrap();
    disk.fail_from(1, Fault::Full);
    disk.write_at(0, &[2; 4096]).unwrap();
    disk.set_len(1 << 20).unwrap();
    let error = disk.write_at(4000, &[3; 200]).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    disk.sync().unwrap();
    disk.mend();
    disk.write_at(4000, &[3; 200]).unwrap();
    assert_eq!(read(&disk, 4000, 200).unwrap(), [3; 200]);
}

#[test]
fn a_cheap_card_breaks_sectors_at_work_until_they_are_written_as_a_whole() {
    let disk = SimDisk::new();
    disk.write_at(0, &[1; 3 * 4096]).unwrap();
    disk.sync().unwrap();
    disk.write_at(4096, &[2; 10]).unwrap();
    let card = disk.card_after_power_cut(&mut Dice::new(1), 1);
    assert!(read(&card, 0, 4096).is_ok() && read(&card, 8192, 4096).is_ok());
    assert!(read(&card, 8000, 1).is_err());
    assert!(card.write_at(4096, &[3; 100]).is_err());
    card.write_at(4096, &[3; 4096]).unwrap();
    assert_eq!(read(&card, 8000, 1).unwrap(), [3]);
}

#[test]
fn what_is_told_to_fail_fails_once() {
    let disk = SimDisk::new();
    disk.fail_nth(2, Fault::Error);
    disk.fail_sync(1);
    disk.fail_read(2);
    disk.write_at(0, &[1]).unwrap();
    assert!(disk.write_at(0, &[2]).is_err());
    assert!(disk.sync().is_err());
    disk.sync().unwrap();
    assert_eq!(read(&disk, 0, 1).unwrap(), [1]);
    assert!(read(&disk, 0, 1).is_err());
    assert_eq!(read(&disk, 0, 1).unwrap(), [1]);
}
