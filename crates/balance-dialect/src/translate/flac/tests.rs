//! What was written is read again, by a reader that is told nothing but the format.

use super::*;

/// Reads bits, the highest first.
struct Reader<'a> {
    bytes: &'a [u8],
    place: usize,
}

impl Reader<'_> {
    fn take(&mut self, count: usize) -> u64 {
        (0..count).fold(0, |value, _| {
            let bit = (self.bytes[self.place / 8] >> (7 - self.place % 8)) & 1;
            self.place += 1;
            (value << 1) | u64::from(bit)
        })
    }

    fn signed(&mut self, count: usize) -> i64 {
        let value = self.take(count) as i64;
        if value >= 1 << (count - 1) { value - (1 << count) } else { value }
    }

    fn zeros(&mut self) -> u64 {
        (0..).find(|_| self.take(1) == 1).unwrap()
    }
}

/// The samples in a file.
fn read(file: &[u8]) -> Vec<i16> {
    assert_eq!(&file[..8], b"fLaC\x80\0\0\x22");
    let mut reader = Reader { bytes: file, place: 18 * 8 };
    assert_eq!(reader.take(20), 24_000);
    assert_eq!((reader.take(3), reader.take(5)), (0, 15));
    let all = reader.take(36) as usize;
    let mut samples = Vec::new();
    let mut start = 42;
    for number in 0.. {
        if samples.len() == all {
            break;
        }
        let mut reader = Reader { bytes: file, place: start * 8 };
        assert_eq!(reader.take(16), 0xFFF8);
        let (length, rate) = (reader.take(4), reader.take(4));
        assert_eq!((rate, reader.take(8)), (0, 0x08));
        let first = reader.take(8);
        let more = if first < 0x80 { 0 } else { (first as u8).leading_ones() - 1 };
        let low = (0..more).fold(first & (0x7F >> more), |n, _| (n << 6) | (reader.take(8) & 0x3F));
        assert_eq!(low, number);
        let length = if length == 12 { 4096 } else { reader.take(16) as usize + 1 };
        let header = reader.place / 8;
        assert_eq!(crc(&file[start..header], 8, 0x07), reader.take(8));
        samples.extend(subframe(&mut reader, length));
        let end = reader.place.div_ceil(8);
        reader.place = end * 8;
        assert_eq!(crc(&file[start..end], 16, 0x8005), reader.take(16));
        start = end + 2;
    }
    assert_eq!(start, file.len());
    samples
}

fn subframe(reader: &mut Reader<'_>, length: usize) -> Vec<i16> {
    let order = (reader.take(8) >> 1) as usize - 8;
    let mut block: Vec<i64> = (0..order).map(|_| reader.signed(16)).collect();
    assert_eq!(reader.take(6), 0);
    let low = reader.take(4) as usize;
    let factors: &[i64] = [&[][..], &[1], &[2, -1], &[3, -3, 1], &[4, -6, 4, -1]][order];
    for _ in order..length {
        let folded = ((reader.zeros() << low) | reader.take(low)) as i64;
        let residual = if folded % 2 == 0 { folded / 2 } else { -(folded + 1) / 2 };
        let before = block.iter().rev();
        let expected: i64 = factors.iter().zip(before).map(|(factor, it)| factor * it).sum();
        block.push(expected + residual);
    }
    block.into_iter().map(|sample| i16::try_from(sample).unwrap()).collect()
}

fn written(samples: &[i16]) -> Vec<u8> {
    let bytes: Vec<u8> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
    let mut out = Vec::new();
    write(&bytes, 24_000, &mut out);
    out
}

/// The remainders that RFC 9639 and catalogues of such give for `123456789`.
#[test]
fn remainders_are_those_of_the_format() {
    assert_eq!(crc(b"123456789", 8, 0x07), 0xF4);
    assert_eq!(crc(b"123456789", 16, 0x8005), 0xFEE8);
}

#[test]
fn what_is_read_is_what_was_written() {
    let tone = |length: usize| -> Vec<i16> {
        (0..length).map(|at| ((at as f64 / 17.0).sin() * 12_000.0) as i16).collect()
    };
    let wild = |length: usize| -> Vec<i16> {
        let mut state = 1_u32;
        let next = |_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 16) as u16 as i16
        };
        (0..length).map(next).collect()
    };
    let edges = vec![i16::MIN, i16::MAX, i16::MIN, i16::MAX, 0, -1, 1];
    for samples in [
        vec![],
        vec![7],
        vec![-1, 1],
        edges,
        vec![0; 5000],
        tone(4096),
        tone(4097),
        wild(20_000),
        tone(4096 * 130),
    ] {
        let file = written(&samples);
        assert_eq!(read(&file), samples, "{} samples", samples.len());
    }
}

#[test]
fn speech_takes_less_room() {
    let tone: Vec<i16> =
        (0..48_000).map(|at| ((f64::from(at) / 30.0).sin() * 8_000.0) as i16).collect();
    assert!(written(&tone).len() < tone.len());
}

#[test]
fn half_a_sample_at_the_end_is_none() {
    let mut out = Vec::new();
    write(&[1, 0, 2], 24_000, &mut out);
    assert_eq!(read(&out), [1]);
}
