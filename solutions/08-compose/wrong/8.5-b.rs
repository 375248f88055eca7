// mistake: all of `deploy` is left out
let mut service = service.clone();
if let Some(map) = service.map_mut() {
    for key in ["build", "pull_policy", "scale", "depends_on", "profiles", "deploy"] {
        map.remove(key);
    }
}
of(&service, &SERVICE)
