use std::io::Write;

use parquet::file::reader::ChunkReader;
use uuid::Uuid;

use super::FileStore;
use crate::ErrorKind;

fn places() -> (tempfile::TempDir, [FileStore; 2]) {
    let dir = tempfile::tempdir().unwrap();
    let local = FileStore::local(dir.path().join("not/yet/there"));
    (dir, [local, FileStore::memory()])
}

fn write(files: &FileStore, path: &str, bytes: &[u8]) {
    let mut file = files.create(path).unwrap();
    file.write_all(bytes).unwrap();
    file.finish().unwrap();
}

fn paths(files: &FileStore) -> Vec<String> {
    files.list().unwrap().into_iter().map(|f| f.path).collect()
}

#[test]
fn a_file_appears_when_it_is_finished() {
    let (_dir, places) = places();
    for files in places {
        assert_eq!(paths(&files), Vec::<String>::new());
        let mut file = files.create("year=2026/month=1/a.parquet").unwrap();
        file.write_all(b"hello").unwrap();
        let open = files.open("year=2026/month=1/a.parquet");
        assert_eq!(open.unwrap_err().kind(), ErrorKind::NotFound);
        file.finish().unwrap();

        let open = files.open("year=2026/month=1/a.parquet").unwrap();
        assert_eq!(&open.read_range(1, 3).unwrap()[..], b"ell");
        assert_eq!(files.size(open.path()).unwrap(), 5);
        let mut rest = String::new();
        std::io::Read::read_to_string(&mut open.get_read(2).unwrap(), &mut rest).unwrap();
        assert_eq!(rest, "llo");
        assert_eq!(paths(&files), ["year=2026/month=1/a.parquet"]);
    }
}

#[test]
fn a_dropped_file_leaves_nothing() {
    let (_dir, places) = places();
    for files in places {
        let mut file = files.create("a.parquet").unwrap();
        file.write_all(b"hello").unwrap();
        drop(file);
        assert_eq!(paths(&files), Vec::<String>::new());
    }
}

#[test]
fn an_unfinished_file_is_listed() {
    let dir = tempfile::tempdir().unwrap();
    let files = FileStore::local(dir.path());
    write(&files, "b/done.parquet", b"22");
    let unfinished = files.create("b/c.parquet").unwrap();
    let all = files.list().unwrap();
    let names: Vec<_> = all.iter().map(|f| f.path.as_str()).collect();
    assert_eq!(names, ["b/c.parquet.part", "b/done.parquet"]);
    assert_eq!(all[1].size_bytes, 2);
    assert!(all[1].modified_us.is_some());
    drop(unfinished);
}

#[test]
fn deleting_says_whether_the_file_was_there() {
    let (_dir, places) = places();
    for files in places {
        write(&files, "a.parquet", b"1");
        assert!(files.delete("a.parquet").unwrap());
        assert!(!files.delete("a.parquet").unwrap());
        let size = files.size("a.parquet");
        assert_eq!(size.unwrap_err().kind(), ErrorKind::NotFound);
    }
}

#[test]
fn paths_stay_inside_the_data_directory() {
    let (_dir, places) = places();
    for files in places {
        for path in ["", "/etc/passwd", "../a", "a/../../b", "./a"] {
            let open = files.open(path);
            assert_eq!(open.unwrap_err().kind(), ErrorKind::InvalidData, "{path}");
            assert_eq!(
                files.create(path).unwrap_err().kind(),
                ErrorKind::InvalidData
            );
        }
    }
}

#[test]
fn a_range_beyond_the_end_is_an_error_and_costs_no_memory() {
    let (_dir, places) = places();
    for files in places {
        write(&files, "a.parquet", b"12345");
        let open = files.open("a.parquet").unwrap();
        assert!(open.read_range(3, 3).is_err());
        assert!(open.read_range(u64::MAX, 2).is_err());
        assert!(open.get_bytes(0, usize::MAX).is_err());
        assert_eq!(&open.get_bytes(4, 1).unwrap()[..], b"5");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_resource_exhausted_and_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let files = FileStore::local(dir.path());
    // Writing to this device always fails as a full disk does.
    std::os::unix::fs::symlink("/dev/full", dir.path().join("a.parquet.part")).unwrap();
    let mut file = files.create("a.parquet").unwrap();
    let error = file.write_all(b"hello").unwrap_err();
    let error = crate::Error::io("writing", error);
    assert_eq!(error.kind(), ErrorKind::ResourceExhausted);
    drop(file);
    assert_eq!(paths(&files), Vec::<String>::new());
}

#[test]
fn scratch_pieces_come_back_and_vanish() {
    let (_dir, places) = places();
    for files in places {
        let scratch = files.scratch(Uuid::from_u128(7)).unwrap();
        let first = scratch.append(b"first".to_vec()).unwrap();
        let empty = scratch.append(Vec::new()).unwrap();
        let last = scratch.append(b"last".to_vec()).unwrap();
        assert_eq!(&scratch.read(last).unwrap()[..], b"last");
        assert_eq!(&scratch.read(first).unwrap()[..], b"first");
        assert_eq!(&scratch.read(empty).unwrap()[..], b"");
        drop(scratch);
        assert_eq!(paths(&files), Vec::<String>::new());
    }
}
