//! `schism pick` against the vectors of real balancers, one function for each file; and what scripts mean.

mod hashing;
mod latency;
mod locality;
mod scripts;
mod weighted;

/// Runs the vectors of each file.
macro_rules! vectors {
    ($($test:ident: $file:literal => $check:path;)*) => {
        $(#[test]
        fn $test() {
            $check(&schism_tests::picks::vectors($file));
        })*
    };
}

vectors! {
    hash_functions_are_the_reference_ones: "01_hash_reference.json" => hashing::hashes;
    ring_hash_is_envoys: "02_envoy_ring_hash.json" => hashing::envoy_rings;
    maglev_is_envoys: "03_envoy_maglev.json" => hashing::maglev;
    weighted_round_robin_is_envoys: "04_envoy_edf_wrr.json" => weighted::edf;
    least_request_is_envoys: "05_envoy_least_request.json" => weighted::least_request;
    zones_with_weights_are_on_the_ring: "02_envoy_ring_hash.json" => locality::rings_of_zones;
    levels_bear_what_envoys_do: "06_envoy_priority_panic.json" => locality::priority_and_panic;
    zones_share_as_envoys_do: "07_envoy_zone_aware.json" => locality::zone_aware;
    zones_take_turns_by_weight: "08_envoy_locality_wrr.json" => locality::locality_weighted;
    new_hosts_start_slowly: "10_envoy_slow_start.json" => locality::slow_start;
    subsets_are_grpcs: "18_rendezvous_and_random_subsetting.json" => locality::random_subset;
    subsets_by_label_are_envoys: "29_envoy_subset.json" => locality::label_subsets;
    bounded_loads_spill_as_envoys_do: "09_envoy_bounded_load.json" => hashing::bounded_loads;
    weighted_round_robin_is_grpcs: "11_grpc_wrr_static_stride.json" => weighted::static_stride;
    ring_hash_is_grpcs: "12_grpc_ring_hash.json" => hashing::grpc_rings;
    nginx_takes_turns_as_nginx_does: "16_nginx.json" => weighted::nginx;
    jump_is_the_papers: "17_jump_hash.json" => hashing::jump;
    rendezvous_is_envoys: "18_rendezvous_and_random_subsetting.json" => hashing::rendezvous;
    peak_ewma_is_towers: "19_peak_ewma.json" => latency::peak_ewma;
    apertures_are_finagles: "20_finagle_deterministic_aperture.json" => latency::apertures;
    slots_of_servers_are_haproxys: "25_haproxy_bounded_loads.json" => hashing::haproxys_slots;
    the_articles_ring_is_what_it_says: "26_seed_article_ring.json" => hashing::article;
    prequal_goes_by_hot_and_cold: "27_prequal.json" => latency::prequal;
    keys_move_as_they_must: "28_key_movement.json" => hashing::movement;
}
