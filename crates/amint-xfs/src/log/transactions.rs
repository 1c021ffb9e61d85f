//! Puts transactions together from the operations of records, and keeps those that were committed.

use std::collections::HashMap;

use super::locate::Extent;
use super::record::{Log, Record};
use crate::fields::Fields;

/// Bytes of the header of an operation: transaction, length, client, flags, two unused.
const OPERATION_BYTES: usize = 12;
/// Bytes of the header of a transaction.
const HEADER_BYTES: usize = 16;
/// The first word of that header: `TRAN`.
const HEADER_MAGIC: u32 = 0x5452_414e;
/// How many bytes of regions are kept in memory at once.
const BYTES_MAX: usize = 256 * 1024 * 1024;
/// What keeping one region or transaction costs besides its bytes, roughly.
const OVERHEAD_BYTES: usize = 96;
/// How many regions one item may have.
const REGIONS_MAX: u16 = 4096;

/// Clients that write operations: transactions, and the journal itself.
const CLIENT_TRANSACTION: u8 = 0x69;
const CLIENT_LOG: u8 = 0xaa;
/// Flags of an operation.
const START: u8 = 1;
const COMMIT: u8 = 2;
const CONTINUES: u8 = 4;
const WAS_CONTINUED: u8 = 8;
const END: u8 = 16;
const UNMOUNT: u8 = 32;

/// One item of a transaction: the first region tells what it is.
#[derive(Debug, Default)]
pub(super) struct Item {
    pub(super) regions: Vec<Vec<u8>>,
    /// How many regions it has by its own words.
    expected: u16,
}

impl Item {
    /// Returns the code of its type, 0 for none.
    pub(super) fn code(&self) -> u16 {
        self.regions.first().and_then(|region| Fields(region).u16_le(0).ok()).unwrap_or(0)
    }
}

/// A transaction as it was committed.
#[derive(Debug, Default)]
pub(super) struct Transaction {
    /// The number of the record in which it began.
    pub(super) lsn: u64,
    pub(super) items: Vec<Item>,
    header: Vec<u8>,
}

/// Reads the records and returns the committed transactions in the order of their commits.
pub(super) fn collect(log: &Log<'_>, extent: Extent) -> Result<Vec<Transaction>, String> {
    let mut collector = Collector::default();
    let total = (extent.head + log.sectors - extent.tail) % log.sectors;
    let mut done = 0;
    while done < total {
        let record = log.record((extent.tail + done) % log.sectors)?;
        done += record.sectors;
        if done > total {
            return Err("a record goes beyond its end".to_owned());
        }
        if !record.is_intact {
            return Err("the checksum of a record does not fit".to_owned());
        }
        if !record.is_little_endian {
            return Err("a machine of another byte order wrote it".to_owned());
        }
        collector.record(&record)?;
    }
    Ok(collector.committed)
}

#[derive(Default)]
struct Collector {
    open: HashMap<u32, Transaction>,
    committed: Vec<Transaction>,
    bytes: usize,
}

impl Collector {
    /// Takes in all operations of a record.
    fn record(&mut self, record: &Record) -> Result<(), String> {
        let fields = Fields(&record.data);
        let cut = |_| "an operation goes beyond its record".to_owned();
        let mut place = 0;
        for _ in 0..record.operation_count {
            let id = fields.u32(place).map_err(cut)?;
            let bytes = usize::try_from(fields.u32(place + 4).map_err(cut)?).unwrap_or(usize::MAX);
            let client = fields.u8(place + 8).map_err(cut)?;
            let flags = fields.u8(place + 9).map_err(cut)?;
            place += OPERATION_BYTES;
            let region = fields.slice(place, bytes).map_err(cut)?;
            place += bytes;
            if !matches!(client, CLIENT_TRANSACTION | CLIENT_LOG) {
                return Err(format!("an operation is of the unknown client {client:#x}"));
            }
            self.operation(id, flags, region, record.lsn)?;
        }
        Ok(())
    }

    fn operation(&mut self, id: u32, flags: u8, region: &[u8], lsn: u64) -> Result<(), String> {
        self.bytes = self.bytes.saturating_add(region.len() + OVERHEAD_BYTES);
        if self.bytes > BYTES_MAX {
            return Err("it holds more changes than fit into memory".to_owned());
        }
        let Some(transaction) = self.open.get_mut(&id) else {
            // Anything else belongs to a transaction that began before the tail: it is in its place already.
            if flags & START != 0 {
                self.open.insert(id, Transaction { lsn, ..Transaction::default() });
            }
            return Ok(());
        };
        match flags & !END {
            0 | CONTINUES => transaction.add(region),
            flags if flags & !CONTINUES == WAS_CONTINUED => transaction.extend(region),
            COMMIT => {
                if let Some(transaction) = self.open.remove(&id) {
                    self.committed.push(transaction);
                }
                Ok(())
            }
            UNMOUNT => {
                self.open.remove(&id);
                Ok(())
            }
            flags => Err(format!("an operation has the unknown flags {flags:#x}")),
        }
    }
}

impl Transaction {
    /// Takes in a region: the header of the transaction, the first region of an item, or a further one.
    fn add(&mut self, region: &[u8]) -> Result<(), String> {
        if region.is_empty() {
            return Ok(());
        }
        if self.header.is_empty() {
            if Fields(region).u32_le(0).ok() != Some(HEADER_MAGIC) || region.len() > HEADER_BYTES {
                return Err("a transaction has a wrong header".to_owned());
            }
            self.header = region.to_vec();
            return Ok(());
        }
        match self.items.last_mut() {
            Some(item) if item.regions.len() < usize::from(item.expected) => {
                item.regions.push(region.to_vec());
            }
            _ => {
                let expected = Fields(region).u16_le(2).unwrap_or(0);
                if expected == 0 || expected > REGIONS_MAX {
                    return Err("an item has a wrong number of regions".to_owned());
                }
                self.items.push(Item { regions: vec![region.to_vec()], expected });
            }
        }
        Ok(())
    }

    /// Takes in the rest of a region that was cut at the end of a record.
    fn extend(&mut self, rest: &[u8]) -> Result<(), String> {
        match self.items.last_mut().and_then(|item| item.regions.last_mut()) {
            Some(region) => region.extend_from_slice(rest),
            None if self.header.len() + rest.len() <= HEADER_BYTES => self.header.extend_from_slice(rest),
            None => return Err("a transaction has a wrong header".to_owned()),
        }
        Ok(())
    }
}
