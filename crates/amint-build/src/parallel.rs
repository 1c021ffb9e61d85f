//! The same work on many things, on all processors.

use std::sync::atomic::{AtomicUsize, Ordering};

/// Does `work` for each number below `count` and returns the results in order; the first error ends it. Each worker has a
/// state of its own, made by `make`.
pub(crate) fn each<S, T: Send, E: Send>(
    count: usize,
    make: impl Fn() -> S + Sync,
    work: impl Fn(&mut S, usize) -> Result<T, E> + Sync,
) -> Result<Vec<T>, E> {
    let next = AtomicUsize::new(0);
    let worker = || -> Result<Vec<(usize, T)>, E> {
        let mut state = make();
        let mut done = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= count {
                return Ok(done);
            }
            match work(&mut state, index) {
                Ok(result) => done.push((index, result)),
                Err(error) => {
                    // The others need not go on.
                    next.store(count, Ordering::Relaxed);
                    return Err(error);
                }
            }
        }
    };
    let workers = std::thread::available_parallelism().map_or(1, std::num::NonZero::get).min(count.max(1));
    let results: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..workers).map(|_| scope.spawn(worker)).collect();
        threads.into_iter().map(|thread| thread.join().expect("workers do not panic")).collect()
    });
    let mut all = Vec::with_capacity(count);
    for result in results {
        all.extend(result?);
    }
    all.sort_by_key(|(index, _)| *index);
    Ok(all.into_iter().map(|(_, result)| result).collect())
}

#[cfg(test)]
mod tests {
    use super::each;

    #[test]
    fn results_come_in_order_and_an_error_ends_it() {
        let squares = each(100, || (), |(), index| Ok::<_, ()>(index * index)).unwrap();
        assert_eq!(squares, (0..100).map(|index| index * index).collect::<Vec<_>>());
        let failed = each(100, || (), |(), index| if index == 7 { Err("seven") } else { Ok(index) });
        assert_eq!(failed, Err("seven"));
        assert_eq!(each(0, || (), |(), index| Ok::<_, ()>(index)), Ok(Vec::new()));
    }
}
