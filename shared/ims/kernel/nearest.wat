;; Nearest cluster centre of many rows, four rows at a time in two f64x2 lanes each.
;;
;; The operations and their order are those of the TypeScript twin (nearest.ts): no fused multiply-add, no
;; reassociation, so both give the same bits. `npm run build:wasm` assembles this file into nearest-wasm.ts.
;;
;; Memory is the caller's: all pointers are byte offsets, doubles little-endian.
(module
  (memory (export "memory") 40)

  ;; rows:    count of rows, a multiple of 4
  ;; f, k:    features per row, centres
  ;; x:       rows × f doubles, row-major
  ;; mean, inverse_scale: f doubles each; a row is standardised as (x − mean) × inverse_scale
  ;; centers: k × f doubles, row-major, in standardised units
  ;; scratch: f × 32 bytes
  ;; label:   rows × i32, out: index of the nearest centre, the lowest wins a tie
  ;; d2:      rows doubles, out: squared distance to it
  (func (export "nearest")
    (param $rows i32) (param $f i32) (param $k i32)
    (param $x i32) (param $mean i32) (param $inverse_scale i32) (param $centers i32)
    (param $scratch i32) (param $label i32) (param $d2 i32)
    (local $row_bytes i32) (local $x1 i32) (local $x2 i32) (local $x3 i32)
    (local $j i32) (local $c i32) (local $center i32) (local $z i32)
    (local $m v128) (local $s v128) (local $v v128)
    (local $sum_a v128) (local $sum_b v128) (local $best_a v128) (local $best_b v128)
    (local $label_a v128) (local $label_b v128) (local $mask v128) (local $index v128)
    (local.set $row_bytes (i32.shl (local.get $f) (i32.const 3)))
    (block $done
      (loop $blocks
        (br_if $done (i32.eqz (local.get $rows)))
        (local.set $x1 (i32.add (local.get $x) (local.get $row_bytes)))
        (local.set $x2 (i32.add (local.get $x1) (local.get $row_bytes)))
        (local.set $x3 (i32.add (local.get $x2) (local.get $row_bytes)))

        ;; Standardise the four rows into the scratch: per feature rows 0 and 1, then rows 2 and 3.
        (local.set $j (i32.const 0))
        (local.set $z (local.get $scratch))
        (loop $features
          (local.set $m (v128.load64_splat (i32.add (local.get $mean) (local.get $j))))
          (local.set $s (v128.load64_splat (i32.add (local.get $inverse_scale) (local.get $j))))
          (local.set $v (v128.load64_splat (i32.add (local.get $x) (local.get $j))))
          (local.set $v (v128.load64_lane 1 (i32.add (local.get $x1) (local.get $j)) (local.get $v)))
          (v128.store (local.get $z) (f64x2.mul (f64x2.sub (local.get $v) (local.get $m)) (local.get $s)))
          (local.set $v (v128.load64_splat (i32.add (local.get $x2) (local.get $j))))
          (local.set $v (v128.load64_lane 1 (i32.add (local.get $x3) (local.get $j)) (local.get $v)))
          (v128.store offset=16 (local.get $z) (f64x2.mul (f64x2.sub (local.get $v) (local.get $m)) (local.get $s)))
          (local.set $z (i32.add (local.get $z) (i32.const 32)))
          (local.set $j (i32.add (local.get $j) (i32.const 8)))
          (br_if $features (i32.lt_u (local.get $j) (local.get $row_bytes))))

        (local.set $best_a (f64x2.splat (f64.const inf)))
        (local.set $best_b (f64x2.splat (f64.const inf)))
        (local.set $label_a (i64x2.splat (i64.const 0)))
        (local.set $label_b (i64x2.splat (i64.const 0)))
        (local.set $c (i32.const 0))
        (local.set $center (local.get $centers))
        (loop $centres
          (local.set $sum_a (f64x2.splat (f64.const 0)))
          (local.set $sum_b (f64x2.splat (f64.const 0)))
          (local.set $j (i32.const 0))
          (local.set $z (local.get $scratch))
          (loop $features2
            (local.set $m (v128.load64_splat (i32.add (local.get $center) (local.get $j))))
            (local.set $v (f64x2.sub (v128.load (local.get $z)) (local.get $m)))
            (local.set $sum_a (f64x2.add (local.get $sum_a) (f64x2.mul (local.get $v) (local.get $v))))
            (local.set $v (f64x2.sub (v128.load offset=16 (local.get $z)) (local.get $m)))
            (local.set $sum_b (f64x2.add (local.get $sum_b) (f64x2.mul (local.get $v) (local.get $v))))
            (local.set $z (i32.add (local.get $z) (i32.const 32)))
            (local.set $j (i32.add (local.get $j) (i32.const 8)))
            (br_if $features2 (i32.lt_u (local.get $j) (local.get $row_bytes))))
          (local.set $index (i64x2.splat (i64.extend_i32_u (local.get $c))))
          (local.set $mask (f64x2.lt (local.get $sum_a) (local.get $best_a)))
          (local.set $best_a (v128.bitselect (local.get $sum_a) (local.get $best_a) (local.get $mask)))
          (local.set $label_a (v128.bitselect (local.get $index) (local.get $label_a) (local.get $mask)))
          (local.set $mask (f64x2.lt (local.get $sum_b) (local.get $best_b)))
          (local.set $best_b (v128.bitselect (local.get $sum_b) (local.get $best_b) (local.get $mask)))
          (local.set $label_b (v128.bitselect (local.get $index) (local.get $label_b) (local.get $mask)))
          (local.set $center (i32.add (local.get $center) (local.get $row_bytes)))
          (local.set $c (i32.add (local.get $c) (i32.const 1)))
          (br_if $centres (i32.lt_u (local.get $c) (local.get $k))))

        (v128.store (local.get $d2) (local.get $best_a))
        (v128.store offset=16 (local.get $d2) (local.get $best_b))
        ;; The low halves of the four 64-bit labels, side by side.
        (v128.store (local.get $label)
          (i8x16.shuffle 0 1 2 3 8 9 10 11 16 17 18 19 24 25 26 27 (local.get $label_a) (local.get $label_b)))

        (local.set $d2 (i32.add (local.get $d2) (i32.const 32)))
        (local.set $label (i32.add (local.get $label) (i32.const 16)))
        (local.set $x (i32.add (local.get $x3) (local.get $row_bytes)))
        (local.set $rows (i32.sub (local.get $rows) (i32.const 4)))
        (br $blocks))))

  ;; Adds rows to the sums of their clusters, two features at a time and row after row, so that the order of additions
  ;; is that of the plain twin.
  ;;
  ;; rows, f: count of rows, features per row
  ;; x:       rows × f doubles, row-major
  ;; label:   rows × i32
  ;; sums:    k × f doubles, added to
  (func (export "accumulate")
    (param $rows i32) (param $f i32) (param $x i32) (param $label i32) (param $sums i32)
    (local $row_bytes i32) (local $pair_bytes i32) (local $to i32) (local $j i32)
    (local.set $row_bytes (i32.shl (local.get $f) (i32.const 3)))
    (local.set $pair_bytes (i32.and (local.get $row_bytes) (i32.const -16)))
    (block $done
      (loop $each_row
        (br_if $done (i32.eqz (local.get $rows)))
        (local.set $to
          (i32.add (local.get $sums) (i32.mul (i32.load (local.get $label)) (local.get $row_bytes))))
        (local.set $j (i32.const 0))
        (block $paired
          (loop $pairs
            (br_if $paired (i32.ge_u (local.get $j) (local.get $pair_bytes)))
            (v128.store
              (i32.add (local.get $to) (local.get $j))
              (f64x2.add
                (v128.load (i32.add (local.get $to) (local.get $j)))
                (v128.load (i32.add (local.get $x) (local.get $j)))))
            (local.set $j (i32.add (local.get $j) (i32.const 16)))
            (br $pairs)))
        (if (i32.lt_u (local.get $j) (local.get $row_bytes))
          (then
            (f64.store
              (i32.add (local.get $to) (local.get $j))
              (f64.add
                (f64.load (i32.add (local.get $to) (local.get $j)))
                (f64.load (i32.add (local.get $x) (local.get $j)))))))
        (local.set $x (i32.add (local.get $x) (local.get $row_bytes)))
        (local.set $label (i32.add (local.get $label) (i32.const 4)))
        (local.set $rows (i32.sub (local.get $rows) (i32.const 1)))
        (br $each_row)))))
