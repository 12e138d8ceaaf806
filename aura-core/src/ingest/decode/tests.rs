use std::io::Write;

use flate2::write::GzEncoder;

use super::*;

/// A reader that gives `step` bytes at a time and then fails, if it is told to.
struct Slow {
    bytes: Vec<u8>,
    at: usize,
    step: usize,
    fault: Option<std::io::Error>,
}

impl Read for Slow {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        if self.at == self.bytes.len() {
            return self.fault.take().map_or(Ok(0), Err);
        }
        let n = self.step.min(out.len()).min(self.bytes.len() - self.at);
        out[..n].copy_from_slice(&self.bytes[self.at..self.at + n]);
        self.at += n;
        Ok(n)
    }
}

fn open_with(bytes: Vec<u8>, step: usize, limits: &Limits) -> (Decoder, Arc<AtomicU64>) {
    let count = Arc::new(AtomicU64::new(0));
    let slow = Slow {
        bytes,
        at: 0,
        step,
        fault: None,
    };
    let decoder = Decoder::new("s".into(), Box::new(slow), limits, Arc::clone(&count)).unwrap();
    (decoder, count)
}

fn read_all(decoder: &mut Decoder) -> (Vec<u8>, Option<Error>) {
    let mut all = Vec::new();
    let mut buf = vec![0; 100_000];
    loop {
        let (n, fault) = decoder.read_full(&mut buf);
        all.extend_from_slice(&buf[..n]);
        if fault.is_some() || n < buf.len() {
            // After a fault there is nothing more, not even the fault.
            assert_eq!(decoder.read(&mut buf).unwrap(), 0);
            return (all, fault);
        }
    }
}

fn decode(bytes: Vec<u8>, limits: &Limits) -> (Vec<u8>, Option<Error>) {
    let len = bytes.len() as u64;
    let (mut decoder, count) = open_with(bytes, 10_000, limits);
    let result = read_all(&mut decoder);
    assert!(count.load(Ordering::Relaxed) <= len);
    if result.1.is_none() {
        assert_eq!(count.load(Ordering::Relaxed), len);
    }
    result
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn zstd(text: &[u8]) -> Vec<u8> {
    let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
    encoder.include_checksum(true).unwrap();
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

/// Text that neither compresses away nor stays as it is: lines with a counter and its hash.
fn text(lines: u64) -> Vec<u8> {
    let mut text = Vec::new();
    for i in 0..lines {
        let hash = i.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(17);
        writeln!(text, "{i},{hash:x}").unwrap();
    }
    text
}

#[test]
fn plain_bytes_pass_through() {
    for len in [0, 1, 3, 5, 70_000, 300_000] {
        let plain: Vec<u8> = text(20_000).into_iter().take(len).collect();
        for step in [1_000, 1 << 20] {
            let (mut decoder, count) = open_with(plain.clone(), step, &Limits::default());
            assert!(!decoder.is_compressed());
            assert_eq!(decoder.head(), &plain[..plain.len().min(64 << 10)]);
            let (all, fault) = read_all(&mut decoder);
            assert_eq!(fault.map(|e| e.to_string()), None);
            assert!(all == plain);
            assert_eq!(count.load(Ordering::Relaxed), plain.len() as u64);
        }
    }
}

#[test]
fn members_and_frames_follow_one_another() {
    let (a, b) = (text(5_000), text(9));
    let both = [a.as_slice(), &b].concat();
    let skippable = [&b"\x50\x2a\x4d\x18\x03\0\0\0abc"[..], &zstd(&a), &zstd(&b)].concat();
    let named = {
        let mut encoder = flate2::GzBuilder::new()
            .filename("a.csv")
            .comment("c")
            .extra(vec![1, 2, 3])
            .write(Vec::new(), flate2::Compression::best());
        encoder.write_all(&a).unwrap();
        encoder.finish().unwrap()
    };
    for compressed in [
        [gzip(&a), gzip(&b)].concat(),
        [named, gzip(b""), gzip(&b), vec![0; 512]].concat(),
        [zstd(&a), zstd(&b)].concat(),
        [zstd(&a), zstd(b""), zstd(&b)].concat(),
        skippable,
    ] {
        for step in [1, 4_096, 1 << 20] {
            let (mut decoder, _) = open_with(compressed.clone(), step, &Limits::default());
            assert!(decoder.is_compressed());
            let (all, fault) = read_all(&mut decoder);
            assert_eq!(fault.map(|e| e.to_string()), None);
            assert!(all == both);
        }
    }
}

#[test]
fn what_is_cut_off_gives_its_bytes_and_then_the_fault() {
    let plain = text(40_000);
    for compressed in [gzip(&plain), zstd(&plain)] {
        for cut in [5, 11, 100, compressed.len() / 2, compressed.len() - 1] {
            let (all, fault) = decode(compressed[..cut].to_vec(), &Limits::default());
            let fault = fault.unwrap();
            assert_eq!(fault.kind(), ErrorKind::InvalidData);
            let expected = format!("at byte {cut} in the middle");
            assert!(fault.message().contains(&expected), "{fault}");
            assert!(fault.message().starts_with("s: "));
            assert!(plain.starts_with(&all));
            // At most a block is not there yet.
            let share = plain.len() * cut / compressed.len();
            assert!(all.len() + (300 << 10) > share, "{} of {share}", all.len());
        }
    }
}

#[test]
fn what_is_garbled_gives_the_bytes_before_it_and_then_the_fault() {
    let plain = text(40_000);
    for compressed in [gzip(&plain), zstd(&plain)] {
        let mut found = 0;
        for place in (1..20).map(|i| i * compressed.len() / 20) {
            let mut garbled = compressed.clone();
            for byte in &mut garbled[place..place + 20] {
                *byte ^= 0x5a;
            }
            let (all, fault) = decode(garbled, &Limits::default());
            let fault = fault.expect("a checksum that does not agree");
            assert_eq!(fault.kind(), ErrorKind::InvalidData);
            assert!(fault.message().contains("at byte "), "{fault}");
            let good = all.iter().zip(&plain).take_while(|(a, b)| a == b).count();
            let share = plain.len() * place / compressed.len();
            assert!(good + (300 << 10) > share, "{good} of {share}: {fault}");
            found += usize::from(good > 0);
        }
        assert!(found > 10);
    }
    for tail in [&b"garbage"[..], b"\x1f\x8bgarbage"] {
        let (all, fault) = decode([&gzip(&plain), tail].concat(), &Limits::default());
        assert!(all == plain);
        assert!(fault.unwrap().message().contains("gzip stream is corrupt"));
        let (all, fault) = decode([&zstd(&plain), tail].concat(), &Limits::default());
        assert!(all == plain);
        assert!(fault.unwrap().message().contains("zstd stream is corrupt"));
    }
}

#[test]
fn a_bomb_is_stopped() {
    let zeros = vec![0; 80 << 20];
    let limits = Limits::default();
    for bomb in [gzip(&zeros), zstd(&zeros)] {
        let small = Limits {
            max_decompressed_bytes: 1 << 20,
            ..limits.clone()
        };
        let (all, fault) = decode(bomb.clone(), &small);
        let fault = fault.unwrap();
        assert_eq!(fault.kind(), ErrorKind::ResourceExhausted);
        assert!(fault.message().contains("`max_decompressed_bytes`"));
        assert!(all.len() < 2 << 20);
        let strict = Limits {
            max_compression_ratio: 100,
            ..limits.clone()
        };
        let (all, fault) = decode(bomb.clone(), &strict);
        let fault = fault.unwrap();
        assert_eq!(fault.kind(), ErrorKind::ResourceExhausted);
        assert!(fault.message().contains("`max_compression_ratio`"));
        assert!((64 << 20..66 << 20).contains(&all.len()));
    }
    // A short source may be as repetitive as it likes.
    let (all, fault) = decode(zstd(&zeros[..1 << 20]), &limits);
    assert_eq!((all.len(), fault.is_none()), (1 << 20, true));
}

#[test]
fn a_wide_zstd_window_is_refused() {
    let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
    encoder.long_distance_matching(true).unwrap();
    encoder.window_log(28).unwrap();
    encoder.write_all(&text(10)).unwrap();
    let (all, fault) = decode(encoder.finish().unwrap(), &Limits::default());
    let fault = fault.unwrap();
    assert_eq!(fault.kind(), ErrorKind::ResourceExhausted, "{fault}");
    assert!(all.is_empty());
}

#[test]
fn utf_16_is_refused_by_name() {
    for text in [&b"\xff\xfea\0"[..], b"\xfe\xff\0a"] {
        for bytes in [text.to_vec(), gzip(text), zstd(text)] {
            let result = Decoder::new(
                "s".into(),
                Box::new(std::io::Cursor::new(bytes)),
                &Limits::default(),
                Arc::default(),
            );
            let fault = result.err().unwrap();
            assert_eq!(fault.kind(), ErrorKind::InvalidData);
            assert!(fault.message().contains("UTF-16"));
        }
    }
}

#[test]
fn faults_of_the_reader_keep_their_kind() {
    for compressed in [gzip(&text(9_000)), zstd(&text(9_000)), text(9_000)] {
        let io = std::io::Error::from(std::io::ErrorKind::PermissionDenied);
        let own = std::io::Error::other(Error::new(ErrorKind::Cancelled, "stop"));
        for (fault, kind) in [(io, ErrorKind::Denied), (own, ErrorKind::Cancelled)] {
            let slow = Slow {
                bytes: compressed[..compressed.len() - 10].to_vec(),
                at: 0,
                step: 3_000,
                fault: Some(fault),
            };
            let mut decoder = Decoder::new(
                "s".into(),
                Box::new(slow),
                &Limits::default(),
                Arc::default(),
            )
            .unwrap();
            let (all, fault) = read_all(&mut decoder);
            assert_eq!(fault.unwrap().kind(), kind);
            assert!(text(9_000).starts_with(&all));
        }
    }
}
