//! Runs over several things at the same time; the first error stops the others.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use amint_types::Cancel;

use crate::error::ArchiveError;

/// Does `work` for each item with up to `threads` threads, and returns the results in the order of the items.
pub(crate) fn each<T: Sync, R: Send>(
    items: &[T],
    threads: usize,
    cancel: &Cancel,
    work: &(dyn Fn(&T) -> Result<R, ArchiveError> + Sync),
) -> Result<Vec<R>, ArchiveError> {
    let next = AtomicUsize::new(0);
    let run = || {
        let mut results = Vec::new();
        while let Some((index, item)) = {
            let index = next.fetch_add(1, Ordering::Relaxed);
            items.get(index).map(|item| (index, item))
        } {
            match cancel.check().map_err(ArchiveError::from).and_then(|()| work(item)) {
                Ok(result) => results.push((index, result)),
                Err(error) => {
                    cancel.cancel();
                    return Err(error);
                }
            }
        }
        Ok(results)
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..threads.clamp(1, items.len().max(1))).map(|_| scope.spawn(run)).collect();
        let mut all = Vec::with_capacity(items.len());
        let mut first: Option<ArchiveError> = None;
        for worker in workers {
            match worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)) {
                Ok(results) => all.extend(results),
                // The error that stopped the others tells more than theirs.
                Err(error) if first.as_ref().is_none_or(ArchiveError::is_cancelled) => first = Some(error),
                Err(_) => {}
            }
        }
        if let Some(error) = first {
            return Err(error);
        }
        all.sort_by_key(|(index, _)| *index);
        Ok(all.into_iter().map(|(_, result)| result).collect())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_order_and_tells_the_error_that_stopped_the_rest() {
        let cancel = Cancel::new();
        let doubled = each(&[1, 2, 3, 4, 5], 3, &cancel, &|number| Ok(number * 2)).unwrap();
        assert_eq!(doubled, [2, 4, 6, 8, 10]);
        let error = each(&[1, 2, 3], 2, &cancel, &|number| {
            if *number == 2 { Err(ArchiveError::NoLocation) } else { Ok(()) }
        });
        assert!(matches!(error, Err(ArchiveError::NoLocation)), "{error:?}");
        assert!(cancel.is_cancelled());
        assert!(each::<u8, ()>(&[], 3, &Cancel::new(), &|_| Ok(())).unwrap().is_empty());
    }
}
