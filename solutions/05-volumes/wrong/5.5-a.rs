// mistake: slashes are counted, also those that make no part
mounts.sort_by_key(|mount| place(mount).matches('/').count());
mounts
