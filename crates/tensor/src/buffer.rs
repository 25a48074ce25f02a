//! Buffers that are used again. A first touch of fresh memory is a page fault for every 4 KiB, which costs more than
//! most of what is computed into it (a factor of ten where this was measured), and allocators hand every large buffer back to
//! the system when it is freed. So large ones go to a list instead, and the next tensor of about that size takes one from there.

use crate::Element;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A tensor's elements: the first `len` of a vector that came from the list and returns to it.
#[derive(Debug)]
pub(crate) struct Buffer<T: Element> {
    /// All of it is initialised, so that the next owner may write where it likes without `unsafe`.
    data: Vec<T>,
    len: usize,
}

impl<T: Element> Buffer<T> {
    /// A buffer with whatever an earlier owner left in it (zeros, if nobody did): the caller writes every element.
    pub(crate) fn stale(len: usize) -> Self {
        let data = match T::list().filter(|_| bytes::<T>(len) >= SMALLEST) {
            Some(list) => lock(list).take(len).unwrap_or_else(|| fresh(room(len))),
            None => vec![T::ZERO; len],
        };
        let mut buffer = Self { data, len };
        if cfg!(debug_assertions) {
            // An element that a kernel forgets would be right or wrong by chance; this makes it wrong.
            buffer.as_mut_slice().fill(T::POISON);
        }
        buffer
    }

    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    #[inline]
    pub(crate) fn as_slice(&self) -> &[T] {
        &self.data[..self.len]
    }

    #[inline]
    pub(crate) fn as_mut_slice(&mut self) -> &mut [T] {
        &mut self.data[..self.len]
    }

    pub(crate) fn into_vec(mut self) -> Vec<T> {
        let mut data = std::mem::take(&mut self.data);
        data.truncate(self.len);
        data
    }
}

impl<T: Element> From<Vec<T>> for Buffer<T> {
    #[inline]
    fn from(data: Vec<T>) -> Self {
        Self { len: data.len(), data }
    }
}

impl<T: Element> Clone for Buffer<T> {
    fn clone(&self) -> Self {
        if bytes::<T>(self.len) < SMALLEST {
            return self.as_slice().to_vec().into();
        }
        let mut copy = Self::stale(self.len);
        copy.as_mut_slice().copy_from_slice(self.as_slice());
        copy
    }
}

impl<T: Element> Drop for Buffer<T> {
    fn drop(&mut self) {
        if bytes::<T>(self.data.len()) >= SMALLEST
            && let Some(list) = T::list()
        {
            let dropped = lock(list).give(std::mem::take(&mut self.data));
            drop(dropped); // after the lock: giving memory back to the system takes a while
        }
    }
}

/// Below this many bytes the allocator is as quick as the list.
const SMALLEST: usize = 32 << 10;

/// How many bytes of free buffers the lists keep, each of the four element types its own, unless told otherwise.
const LIMIT: usize = 1 << 30;

/// A free buffer is given back when this many others have been freed since.
const PATIENCE: u64 = 4096;

fn bytes<T>(len: usize) -> usize {
    len.saturating_mul(size_of::<T>())
}

/// The length to allocate: up to an eighth more, so that sizes that differ a little share buffers.
fn room(len: usize) -> usize {
    len.next_multiple_of((len.next_power_of_two() / 16).max(1))
}

fn fresh<T: Element>(len: usize) -> Vec<T> {
    let data = vec![T::ZERO; len]; // pages of zeros that are not there yet
    advise(&data);
    data
}

/// Asks for pages of 2 MiB, so that the first touch faults once for each of those.
#[cfg(all(target_os = "linux", feature = "reuse"))]
fn advise<T>(data: &[T]) {
    const PAGE: usize = 4096;
    const HUGE: usize = 2 << 20;
    if size_of_val(data) < 2 * HUGE {
        return;
    }
    let start = data.as_ptr().addr().next_multiple_of(PAGE);
    let end = (data.as_ptr().addr() + size_of_val(data)) / PAGE * PAGE;
    // SAFETY: the range lies within one allocation of ours, rounded inwards to whole pages, and this advice changes neither its
    // contents nor what may be done with it. A refusal changes nothing at all.
    let _ = unsafe { libc::madvise(start as *mut libc::c_void, end - start, libc::MADV_HUGEPAGE) };
}

#[cfg(not(all(target_os = "linux", feature = "reuse")))]
fn advise<T>(_: &[T]) {}

/// The free buffers of one element type.
#[derive(Debug)]
pub struct List<T> {
    /// By length; with each the number of buffers that had been freed when it was.
    free: BTreeMap<usize, Vec<(u64, Vec<T>)>>,
    held: usize,
    limit: usize,
    freed: u64,
    reused: u64,
    allocated: u64,
}

impl<T> List<T> {
    pub(crate) const fn new() -> Self {
        Self { free: BTreeMap::new(), held: 0, limit: LIMIT, freed: 0, reused: 0, allocated: 0 }
    }

    /// A free buffer that is long enough and not much longer.
    fn take(&mut self, len: usize) -> Option<Vec<T>> {
        let Some((&size, free)) = self.free.range_mut(len..=len + len / 4).next() else {
            self.allocated += 1;
            return None;
        };
        let (_, data) = free.pop()?;
        if free.is_empty() {
            self.free.remove(&size);
        }
        self.reused += 1;
        self.held -= bytes::<T>(size);
        Some(data)
    }

    /// Keeps a buffer, and returns those that are to be freed: the oldest ones beyond the limit, and those nobody wants.
    fn give(&mut self, data: Vec<T>) -> Vec<Vec<T>> {
        let size = bytes::<T>(data.len());
        if size > self.limit {
            return vec![data];
        }
        self.freed += 1;
        self.held += size;
        self.free.entry(data.len()).or_default().push((self.freed, data));
        if self.held > self.limit || self.freed.is_multiple_of(PATIENCE / 8) {
            return self.trim(self.limit);
        }
        Vec::new()
    }

    fn trim(&mut self, limit: usize) -> Vec<Vec<T>> {
        let mut gone = Vec::new();
        let too_old = self.freed.saturating_sub(PATIENCE);
        let mut oldest: Vec<(u64, usize)> =
            self.free.iter().flat_map(|(&size, free)| free.iter().map(move |(at, _)| (*at, size))).collect();
        oldest.sort_unstable();
        for (at, size) in oldest {
            if self.held <= limit && at > too_old {
                break;
            }
            if let Some(free) = self.free.get_mut(&size) {
                gone.push(free.remove(0).1); // the oldest of its size stands first
                self.held -= bytes::<T>(size);
                if free.is_empty() {
                    self.free.remove(&size);
                }
            }
        }
        gone
    }
}

fn lock<T>(list: &Mutex<List<T>>) -> MutexGuard<'_, List<T>> {
    list.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What the lists of free buffers hold and have done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Statistics {
    /// Bytes in free buffers.
    pub held: usize,
    /// Buffers taken from a list.
    pub reused: u64,
    /// Buffers that had to be allocated, as no free one was of a fitting size.
    pub allocated: u64,
}

fn each<R>(
    mut f32s: impl FnMut(&mut List<f32>) -> R,
    mut f64s: impl FnMut(&mut List<f64>) -> R,
    mut u32s: impl FnMut(&mut List<u32>) -> R,
    mut bools: impl FnMut(&mut List<bool>) -> R,
) -> Vec<R> {
    let mut out = Vec::new();
    out.extend(f32::list().map(|l| f32s(&mut lock(l))));
    out.extend(f64::list().map(|l| f64s(&mut lock(l))));
    out.extend(u32::list().map(|l| u32s(&mut lock(l))));
    out.extend(bool::list().map(|l| bools(&mut lock(l))));
    out
}

/// What the lists of free buffers hold and have done; all 0 without the feature `reuse`.
pub fn statistics() -> Statistics {
    fn of<T>(l: &mut List<T>) -> Statistics {
        Statistics { held: l.held, reused: l.reused, allocated: l.allocated }
    }
    each(of, of, of, of).into_iter().fold(Statistics::default(), |a, b| Statistics {
        held: a.held + b.held,
        reused: a.reused + b.reused,
        allocated: a.allocated + b.allocated,
    })
}

/// Gives all free buffers back to the system.
///
/// ```
/// use gradus_tensor::{Tensor, buffers};
/// drop(Tensor::<f32>::zeros([1024, 1024])?);
/// buffers::release();
/// assert_eq!(buffers::statistics().held, 0);
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
pub fn release() {
    fn all<T>(l: &mut List<T>) -> Vec<Vec<T>> {
        l.trim(0)
    }
    each(|l| drop(all(l)), |l| drop(all(l)), |l| drop(all(l)), |l| drop(all(l)));
}

/// Sets how many bytes of free buffers each element type may keep (at first 1 GiB); beyond that the oldest are given back.
pub fn set_limit(bytes: usize) {
    fn set<T>(l: &mut List<T>, bytes: usize) {
        l.limit = bytes;
        drop(l.trim(bytes));
    }
    each(|l| set(l, bytes), |l| set(l, bytes), |l| set(l, bytes), |l| set(l, bytes));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list() -> List<f32> {
        List::new()
    }

    #[test]
    fn a_free_buffer_comes_back_if_it_fits_and_is_not_much_too_long() {
        let mut l = list();
        assert!(l.take(1000).is_none());
        assert!(l.give(vec![1.0; 1000]).is_empty());
        assert!(l.take(1001).is_none() && l.take(700).is_none());
        assert_eq!(l.take(900).unwrap().len(), 1000);
        assert_eq!((l.held, l.reused, l.allocated), (0, 1, 3));
    }

    #[test]
    fn beyond_the_limit_the_oldest_go() {
        let mut l = list();
        l.limit = 4 * 2500;
        assert!(l.give(vec![0.0; 1000]).is_empty() && l.give(vec![0.0; 1001]).is_empty());
        let gone = l.give(vec![0.0; 1002]);
        assert_eq!(gone.iter().map(Vec::len).collect::<Vec<_>>(), [1000]);
        assert_eq!(l.held, 4 * 2003);
        assert_eq!(l.give(vec![0.0; 2501]).len(), 1, "one that is over the limit alone is not kept");
        assert_eq!(l.trim(0).len(), 2);
        assert_eq!(l.held, 0);
    }

    #[test]
    fn one_that_nobody_wants_goes_after_a_while() {
        let mut l = list();
        l.give(vec![0.0; 5000]);
        let mut gone = 0;
        for _ in 0..2 * PATIENCE {
            gone += l.give(vec![0.0; 1000]).iter().filter(|v| v.len() == 5000).count();
            l.take(1000);
        }
        assert_eq!(gone, 1);
        assert_eq!(l.held, 0);
    }

    #[test]
    fn sizes_that_differ_little_share() {
        assert_eq!(room(1 << 20), 1 << 20);
        assert_eq!(room((1 << 20) + 1), (1 << 20) + (1 << 17));
        for len in 1..5000 {
            assert!(room(len) >= len && room(len) <= len + len / 4 && room(len) - len <= len / 8 + 1);
        }
    }
}
