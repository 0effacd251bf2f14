//! What is waited for, under numbers that can cross into JavaScript and back.
//!
//! Invariant: places are given again and numbers are not, so that one which comes back late finds nothing.

/// Two million places; and a number is exact in JavaScript, where 53 bits are.
const PLACE_BITS: u32 = 21;

/// Where something stands, and as the how manieth it came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Number(u64);

impl Number {
    fn new(place: usize, serial: u32) -> Self {
        Self(u64::from(serial) << PLACE_BITS | place as u64)
    }

    const fn place(self) -> usize {
        (self.0 & ((1 << PLACE_BITS) - 1)) as usize
    }
}

#[expect(clippy::cast_precision_loss, reason = "it has 53 bits")]
impl From<Number> for f64 {
    fn from(Number(number): Number) -> Self {
        number as Self
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "casts saturate")]
impl From<f64> for Number {
    fn from(number: f64) -> Self {
        Self(number as u64)
    }
}

/// Values under numbers.
#[derive(Debug)]
pub(crate) struct Slots<T> {
    slots: Vec<Option<(Number, T)>>,
    free: Vec<usize>,
    serial: u32,
}

impl<T> Default for Slots<T> {
    fn default() -> Self {
        Self { slots: Vec::new(), free: Vec::new(), serial: 0 }
    }
}

impl<T> Slots<T> {
    pub(crate) fn add(&mut self, value: T) -> Number {
        self.serial = self.serial.wrapping_add(1);
        let place = self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            self.slots.len() - 1
        });
        let number = Number::new(place, self.serial);
        if let Some(slot) = self.slots.get_mut(place) {
            *slot = Some((number, value));
        }
        number
    }

    pub(crate) fn get(&mut self, number: Number) -> Option<&mut T> {
        let slot = self.slots.get_mut(number.place())?.as_mut();
        slot.filter(|(owner, _)| *owner == number).map(|(_, value)| value)
    }

    pub(crate) fn remove(&mut self, number: Number) -> Option<T> {
        self.get(number)?;
        self.free.push(number.place());
        self.slots.get_mut(number.place())?.take().map(|(_, value)| value)
    }

    /// Takes out all values of which something is so.
    pub(crate) fn remove_if(&mut self, is_so: impl Fn(&T) -> bool) -> Vec<T> {
        let mut removed = Vec::new();
        for (place, slot) in self.slots.iter_mut().enumerate() {
            if let Some((_, value)) = slot.take_if(|(_, value)| is_so(value)) {
                self.free.push(place);
                removed.push(value);
            }
        }
        removed
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = &T> {
        self.slots.iter().flatten().map(|(_, value)| value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_given_again_and_a_number_is_not() {
        let mut slots = Slots::default();
        let first = slots.add("first");
        let second = slots.add("second");
        assert_eq!(slots.remove(first), Some("first"));
        let third = slots.add("third");
        assert_eq!(third.place(), first.place());
        assert_eq!(slots.remove(first), None);
        assert_eq!(slots.get(second), Some(&mut "second"));
        assert_eq!(slots.get(third), Some(&mut "third"));
    }

    #[test]
    fn what_is_taken_out_makes_room() {
        let mut slots = Slots::default();
        let numbers = [1, 2, 3, 4].map(|value| slots.add(value));
        assert_eq!(slots.remove_if(|value| value % 2 == 0), [2, 4]);
        assert_eq!(slots.values().collect::<Vec<_>>(), [&1, &3]);
        assert_eq!(
            numbers.map(|number| slots.get(number).copied()),
            [Some(1), None, Some(3), None]
        );
        slots.add(5);
        slots.add(6);
        assert_eq!(slots.slots.len(), 4);
    }

    #[test]
    fn a_number_comes_back_from_javascript_as_it_went() {
        let number = Number::new((1 << PLACE_BITS) - 1, u32::MAX);
        assert_eq!(Number::from(f64::from(number)), number);
        assert_eq!(Slots::<()>::default().get(Number::from(f64::NAN)), None);
    }
}
