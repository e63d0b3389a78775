INSERT INTO vcpu (vm_id, vcpu_id, ring_id)
VALUES (:vm, :vcpu, :ring)
RETURNING id;
