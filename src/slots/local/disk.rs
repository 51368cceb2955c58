//! What kind of file system the folder lies on. Over a network, file locks are not the kernel's own: some are lost with a
//! server's restart, some are never seen by other hosts, and all of them let a second host in.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// File systems of which other hosts have a part, by `statfs` (Linux: include/uapi/linux/magic.h).
const SHARED: &[(u64, &str)] = &[
    (0x6969, "nfs"),
    (0x517b, "smb"),
    (0xff53_4d42, "cifs"),
    (0xfe53_4d42, "smb2"),
    (0x0102_1997, "9p"),
    (0x00c3_6400, "ceph"),
    (0x0bd0_0bd0, "lustre"),
    (0x5346_414f, "afs"),
    (0x6b41_4653, "kafs"),
    (0x0116_1970, "gfs2"),
    (0x7461_636f, "ocfs2"),
    (0x4750_4653, "gpfs"),
    (0x7375_7245, "coda"),
    (0x564c, "ncp"),
    (0x786f_4256, "vboxsf"),
    (0xaad7_aaea, "panfs"),
    (0x1983_0326, "fhgfs"),
];

/// In user space: whose data that is, only the mount's own name tells.
const FUSE: u64 = 0x6573_5546;

/// Those in user space that are known to be of this host alone.
const LOCAL_FUSE: &[&str] = &["fuseblk", "fuse.fuse-overlayfs", "fuse.lxcfs"];

/// The name of the file system of `dir` if other hosts may share it. A file system that cannot be asked is not refused:
/// the host's identity in the records notices a second host too, only later.
pub(super) fn shared_with_other_hosts(dir: &Path) -> Option<String> {
    let magic = rustix::fs::statfs(dir).ok()?.f_type;
    let device = std::fs::metadata(dir).ok()?.dev();
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    // The width of `f_type` differs between architectures; magic numbers have 32 bits.
    shared(magic as u64 & 0xffff_ffff, mounted_as(&mounts, device))
}

fn shared(magic: u64, mounted_as: Option<&str>) -> Option<String> {
    if magic == FUSE {
        let name = mounted_as.unwrap_or("fuse");
        return (!LOCAL_FUSE.contains(&name)).then(|| name.to_owned());
    }
    SHARED.iter().find(|(known, _)| *known == magic).map(|(_, name)| (*name).to_owned())
}

/// The type under which the file system of `device` is mounted (proc(5), `mountinfo`: the third field is the device, the
/// type follows the dash).
fn mounted_as(mounts: &str, device: u64) -> Option<&str> {
    let device = format!("{}:{}", rustix::fs::major(device), rustix::fs::minor(device));
    let line = mounts.lines().find(|line| line.split(' ').nth(2) == Some(&device))?;
    line.split_once(" - ")?.1.split(' ').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_other_hosts_share_is_refused_by_name() {
        assert_eq!(shared(0x6969, Some("nfs4")).as_deref(), Some("nfs"));
        assert_eq!(shared(0xff53_4d42, None).as_deref(), Some("cifs"));
        assert_eq!(shared(FUSE, Some("fuse.sshfs")).as_deref(), Some("fuse.sshfs"));
        assert_eq!(shared(FUSE, Some("virtiofs")).as_deref(), Some("virtiofs"));
        assert_eq!(shared(FUSE, None).as_deref(), Some("fuse"));
        for local in [shared(FUSE, Some("fuseblk")), shared(0xef53, Some("ext4")), shared(0x0102_1994, None)]
        {
            assert_eq!(local, None);
        }
    }

    #[test]
    fn a_mount_is_found_by_its_device() {
        let mounts = "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw\n\
                      49 35 0:52 / /srv/share rw - fuse.sshfs host:/ rw\n";
        assert_eq!(mounted_as(mounts, rustix::fs::makedev(0, 52)), Some("fuse.sshfs"));
        assert_eq!(mounted_as(mounts, rustix::fs::makedev(98, 0)), Some("ext3"));
        assert_eq!(mounted_as(mounts, rustix::fs::makedev(1, 1)), None);
    }

    #[test]
    fn the_disk_of_temporary_files_is_taken() {
        assert_eq!(shared_with_other_hosts(&std::env::temp_dir()), None);
    }
}
