//! Samples of one channel as FLAC (RFC 9639), which loses nothing and takes half the room.
//!
//! Invariant: what a decoder gives back are the samples, each of them.

#[cfg(test)]
mod tests;

/// The samples of a frame; the last one may have fewer.
const BLOCK: usize = 4096;
/// The most differences that are taken, one of the other.
const HIGHEST_ORDER: u8 = 4;
/// The most low bits of a residual that stand as they are: 15 would mean something else.
const MOST_LOW_BITS: u32 = 14;

/// Writes samples of 16 bits, the lower byte first, as a whole file.
pub(super) fn write(samples: &[u8], rate: u32, out: &mut Vec<u8>) {
    let samples: Vec<i32> = samples
        .chunks_exact(2)
        .map(|bytes| bytes.iter().rev().fold(0_u16, |all, byte| (all << 8) | u16::from(*byte)))
        .map(|sample| i32::from(sample.cast_signed()))
        .collect();
    out.extend_from_slice(b"fLaC");
    stream_info(samples.len(), rate, out);
    for (block, number) in samples.chunks(BLOCK).zip(0..) {
        frame(block, number, out);
    }
}

/// The one block of metadata that there must be.
fn stream_info(samples: usize, rate: u32, out: &mut Vec<u8>) {
    let mut bits = Bits::default();
    bits.put(0x80, 8); // the last block of metadata, of this type
    bits.put(34, 24);
    bits.put(BLOCK as u64, 16);
    bits.put(BLOCK as u64, 16);
    bits.put(0, 48); // the sizes of frames, not known
    bits.put(rate.into(), 20);
    bits.put(0, 3); // one channel
    bits.put(15, 5); // 16 bits
    bits.put(samples as u64, 36);
    out.append(&mut bits.bytes());
    out.extend_from_slice(&[0; 16]); // the digest, not known
}

fn frame(block: &[i32], number: u64, out: &mut Vec<u8>) {
    let mut bits = Bits::default();
    bits.put(0xFFF8, 16); // frames of one length, but for the last
    bits.put(if block.len() == BLOCK { 0b1100 } else { 0b0111 }, 4);
    bits.put(0, 4); // the rate of the stream
    bits.put(0x08, 8); // one channel of 16 bits
    bits.put_number(number);
    if block.len() != BLOCK {
        bits.put(block.len().saturating_sub(1) as u64, 16);
    }
    let header = crc(&bits.written, 8, 0x07);
    bits.put(header, 8);
    subframe(block, &mut bits);
    let mut frame = bits.bytes();
    let all = crc(&frame, 16, 0x8005);
    out.append(&mut frame);
    let mut bits = Bits::default();
    bits.put(all, 16);
    out.append(&mut bits.bytes());
}

/// The samples as the differences of so high an order that they are smallest.
fn subframe(block: &[i32], bits: &mut Bits) {
    let mut best = (0, block.to_vec());
    let mut residuals = block.to_vec();
    for order in 1..=HIGHEST_ORDER {
        let next = residuals.iter().skip(1);
        residuals = residuals.iter().zip(next).map(|(before, after)| after - before).collect();
        if residuals.is_empty() {
            break;
        }
        if size(&residuals) < size(&best.1) {
            best = (order, residuals.clone());
        }
    }
    let (order, residuals) = best;
    bits.put((0b001_000 | u64::from(order)) << 1, 8);
    for sample in block.iter().take(order.into()) {
        bits.put((sample & 0xFFFF).unsigned_abs().into(), 16);
    }
    bits.put(0, 6); // Rice codes, all with as many low bits
    let low = low_bits(&residuals);
    bits.put(low.into(), 4);
    for residual in residuals {
        let folded = fold(residual);
        bits.put_zeros(folded >> low);
        bits.put(1, 1);
        bits.put(folded & ((1 << low) - 1), low);
    }
}

/// Signs in the lowest bit.
fn fold(residual: i32) -> u64 {
    let size = u64::from(residual.unsigned_abs());
    if residual < 0 { 2 * size - 1 } else { 2 * size }
}

fn size(residuals: &[i32]) -> u64 {
    residuals.iter().map(|it| u64::from(it.unsigned_abs())).sum()
}

/// How many low bits make the residuals shortest.
fn low_bits(residuals: &[i32]) -> u32 {
    let sum: u64 = residuals.iter().map(|residual| fold(*residual)).sum();
    let length = |low: u32| (residuals.len() as u64) * u64::from(low + 1) + (sum >> low);
    (0..=MOST_LOW_BITS).min_by_key(|low| length(*low)).unwrap_or_default()
}

/// The remainder of the bytes by a polynomial of so many bits.
fn crc(bytes: &[u8], width: u32, polynomial: u64) -> u64 {
    let top = 1 << (width - 1);
    let mask = (1 << width) - 1;
    bytes.iter().fold(0, |crc, byte| {
        let crc = crc ^ (u64::from(*byte) << (width - 8));
        (0..8).fold(crc, |crc, _| {
            if crc & top == 0 { (crc << 1) & mask } else { ((crc << 1) ^ polynomial) & mask }
        })
    })
}

/// Bits, the highest first.
#[derive(Debug, Default)]
struct Bits {
    written: Vec<u8>,
    rest: u64,
    /// How many bits `rest` has, less than 8.
    length: u32,
}

impl Bits {
    /// Writes the lowest bits of a value, at most 48.
    fn put(&mut self, value: u64, length: u32) {
        self.rest = (self.rest << length) | value;
        self.length += length;
        while self.length >= 8 {
            self.length -= 8;
            self.written.extend((self.rest >> self.length).to_le_bytes().first());
        }
        self.rest &= (1 << self.length) - 1;
    }

    fn put_zeros(&mut self, count: u64) {
        for _ in 0..count / 32 {
            self.put(0, 32);
        }
        (0..count % 32).for_each(|_| self.put(0, 1));
    }

    /// The number of a frame, as UTF-8 would write a letter of that number.
    fn put_number(&mut self, number: u64) {
        if number < 0x80 {
            return self.put(number, 8);
        }
        let bits = u64::BITS - number.leading_zeros();
        // Of `n` bytes the first has 7 − n bits of the number, each other one 6.
        let more = (1..=6).find(|more| 6 * more + (6 - more) >= bits).unwrap_or(6);
        let mark = 0xFF & !((1_u64 << (7 - more)) - 1);
        self.put(mark | (number >> (6 * more)), 8);
        for place in (0..more).rev() {
            self.put(0x80 | ((number >> (6 * place)) & 0x3F), 8);
        }
    }

    /// All bytes, the last one filled up with zeros.
    fn bytes(mut self) -> Vec<u8> {
        let missing = (8 - self.length) % 8;
        self.put(0, missing);
        self.written
    }
}
