//! What comes in goes out, whole and in ranges; what is not what was stored is an error.

use std::os::unix::fs::PermissionsExt;

use super::*;

#[test]
fn what_came_in_goes_out_at_every_size_around_a_chunk() {
    block_on(async {
        let house = House::new().await;
        let sizes = [0, 1, 65_535, 65_536, 65_537, 131_072, 131_073];
        for (number, size) in (1..).zip(sizes) {
            let bytes = content(size);
            for new in [text(number), sealed(number + 100)] {
                let stored = house.put(new, &bytes).await.unwrap();
                assert_eq!(stored.size_bytes, size as u64);
                assert!(house.read(&stored, 0, None).await.unwrap() == bytes, "{size} bytes");
                assert_eq!(house.store.attachment(stored.id).await.unwrap(), Some(stored));
            }
        }
    });
}

#[test]
fn a_range_is_those_bytes_wherever_chunks_meet() {
    block_on(async {
        let house = House::new().await;
        let bytes = content(3 * 65_536 + 10);
        let size = bytes.len();
        let edges = [0, 1, 65_535, 65_536, 65_537, 131_072, size - 11, size - 1];
        for new in [text(1), sealed(2)] {
            let stored = house.put(new, &bytes).await.unwrap();
            for from in edges {
                for until in [from + 1, from + 2, from + 65_536, from + 70_000, size, size + 9] {
                    let got = house.read(&stored, from as u64, Some(until as u64)).await.unwrap();
                    assert!(got == bytes[from..until.min(size)], "{from}..{until}");
                }
                let rest = house.read(&stored, from as u64, None).await.unwrap();
                assert!(rest == bytes[from..], "{from}..");
            }
            let size = size as u64;
            for (from, until) in [(size, None), (size + 1, None), (9, Some(8)), (size, Some(size))]
            {
                refused!(house.read(&stored, from, until).await, Invalid);
            }
            assert!(house.read(&stored, 5, Some(5)).await.unwrap().is_empty());
        }
    });
}

/// So many bytes, never more than 64 KiB at a time.
struct Flow {
    left: usize,
    largest: Arc<std::sync::atomic::AtomicUsize>,
}

impl AsyncRead for Flow {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _context: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.largest.fetch_max(out.remaining(), std::sync::atomic::Ordering::SeqCst);
        let some = self.left.min(out.remaining());
        out.put_slice(&vec![7; some]);
        self.left -= some;
        Poll::Ready(Ok(()))
    }
}

#[test]
fn ten_megabytes_pass_in_chunks_and_one_byte_more_leaves_nothing() {
    block_on(async {
        let house = House::new().await;
        let largest = Arc::default();
        let max = Limits::default().attachment_bytes_max;
        let flow = |left| Flow { left, largest: Arc::clone(&largest) };
        let stored = house.attachments.put(text(1), flow(max)).await.unwrap();
        assert_eq!(stored.size_bytes, max as u64);
        assert_eq!(largest.load(std::sync::atomic::Ordering::SeqCst), 64 * 1024);
        let mut reading = house.attachments.read(&stored, 0, None).await.unwrap();
        let mut chunks = 0;
        while let Some(chunk) = reading.next().await.unwrap() {
            assert!(chunk.len() <= 64 * 1024 && chunk.iter().all(|byte| *byte == 7));
            chunks += 1;
        }
        assert_eq!(chunks, max / (64 * 1024));
        refused!(house.attachments.put(text(2), flow(max + 1)).await, TooLarge);
        assert_eq!(house.files(), [house.file(1)]);
        let sealing = Limits::default().attachment_sealing_bytes_max;
        house.attachments.put(sealed(3), flow(max + sealing)).await.unwrap();
        refused!(house.attachments.put(sealed(4), flow(max + sealing + 1)).await, TooLarge);
        let avatar = Limits::default().avatar_bytes_max;
        house.attachments.put(picture(5), flow(avatar)).await.unwrap();
        refused!(house.attachments.put(picture(6), flow(avatar + 1)).await, TooLarge);
        let announced = NewAttachment { size_bytes: Some(max as u64 + 1), ..text(7) };
        refused!(house.attachments.put(announced, stalls(b"")).await, TooLarge);
    });
}

#[test]
fn nothing_of_what_came_in_clear_is_recognisable_on_disk() {
    block_on(async {
        let house = House::new().await;
        let bytes = content(200_000);
        house.put(text(1), &bytes).await.unwrap();
        let file = fs::read(house.file(1)).unwrap();
        for word in ["shopping", "list", "line", "application/pdf"] {
            assert!(!file.windows(word.len()).any(|part| part == word.as_bytes()), "{word}");
        }
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&house.file(1)), 0o600);
        assert_eq!(mode(house.file(1).parent().unwrap()), 0o700);
        assert_eq!(mode(&house.folder.path().join("files")), 0o700);
        house.put(sealed(2), &bytes).await.unwrap();
        assert!(fs::read(house.file(2)).unwrap() == bytes, "what came sealed lies as it came");
    });
}

#[test]
fn a_file_that_is_not_what_was_stored_is_an_error_and_never_other_bytes() {
    block_on(async {
        let house = House::new().await;
        let bytes = content(150_000);
        for new in [text(1), sealed(2)] {
            let stored = house.put(new.clone(), &bytes).await.unwrap();
            let path = house.file(new.id.as_bytes()[15]);
            let good = fs::read(&path).unwrap();
            let places = [0, 30, 100, 65_536, 100_000, good.len() - 1];
            for place in places {
                let mut bad = good.clone();
                bad[place] ^= 1;
                fs::write(&path, bad).unwrap();
                refused!(house.read(&stored, 0, None).await, FileDamaged);
            }
            let other_lengths =
                [good[..good.len() - 1].to_vec(), vec![], [&good[..], b"x"].concat()];
            for bad in other_lengths {
                fs::write(&path, bad).unwrap();
                refused!(house.read(&stored, 0, None).await, FileDamaged);
            }
            fs::remove_file(&path).unwrap();
            refused!(house.read(&stored, 0, None).await, FileDamaged);
            fs::write(&path, &good).unwrap();
            assert!(house.read(&stored, 0, None).await.unwrap() == bytes);
        }
    });
}

#[test]
fn a_file_cut_where_a_chunk_ends_is_an_error_though_its_record_agrees() {
    block_on(async {
        let house = House::new().await;
        let stored = house.put(text(1), &content(3 * 65_536)).await.unwrap();
        let good = fs::read(house.file(1)).unwrap();
        let cut = &good[..good.len() - 65_552];
        fs::write(house.file(1), cut).unwrap();
        let agreeing = Attachment { stored_bytes: cut.len() as u64, ..stored };
        refused!(house.read(&agreeing, 0, None).await, FileDamaged);
        refused!(house.read(&agreeing, 131_072, None).await, FileDamaged);
    });
}

#[test]
fn the_secret_of_another_house_opens_nothing() {
    block_on(async {
        let (house, other) = (House::new().await, House::new().await);
        let stored = house.put(text(1), b"hello").await.unwrap();
        let folder = house.folder.path();
        let other = Attachments::open(other.store.clone(), folder).await.unwrap();
        let Err(error) = other.read(&stored, 0, None).await else { panic!("it opened") };
        assert!(error.to_string().contains("another house"), "{error}");
        let same = Attachments::open(house.store.clone(), folder).await.unwrap();
        let mut reading = same.read(&stored, 0, None).await.unwrap();
        assert_eq!(reading.next().await.unwrap().unwrap(), "hello");
    });
}

#[test]
fn an_upload_that_breaks_off_leaves_nothing() {
    block_on(async {
        let house = House::new().await;
        let bytes = content(100_000);
        let broken = Stalls { error: Some("reset by peer"), ..stalls(&bytes) };
        let Err(error) = house.attachments.put(text(1), broken).await else { panic!("stored") };
        assert!(error.to_string().contains("reset by peer"), "{error}");
        for announced in [99_999, 100_001] {
            let new = NewAttachment { size_bytes: Some(announced), ..text(1) };
            refused!(house.put(new, &bytes).await, BrokenOff);
        }
        assert!(house.files().is_empty() && !house.is_there(1).await);
        assert_eq!(house.used(Whose::House).await, (0, 0));
        let whole = NewAttachment { size_bytes: Some(100_000), ..text(1) };
        house.put(whole, &bytes).await.unwrap();
    });
}

#[test]
fn an_upload_that_nobody_waits_for_any_more_leaves_nothing() {
    let house = block_on(async {
        let house = House::new().await;
        let bytes = content(100_000);
        let reader = stalls(&bytes);
        let taken = reader.taken.clone();
        tokio::select! {
            _ = house.attachments.put(text(1), reader) => panic!("it stalls"),
            () = taken.notified() => {}
        }
        house
    });
    // The runtime has ended, and with it whatever was to be removed.
    assert!(house.files().is_empty(), "{:?}", house.files());
}
