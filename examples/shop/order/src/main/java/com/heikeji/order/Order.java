package com.heikeji.order;

import java.time.Instant;
import java.util.UUID;

/** An order of one product. Money in the currency's smallest unit. */
public record Order(
        UUID id,
        String customer,
        String sku,
        int quantity,
        long unitPriceCents,
        String currency,
        Status status,
        Instant createdAt) {

    /** PENDING: the stock is being asked for · FAILED: the catalog gave no answer · REJECTED: there was too little stock. */
    public enum Status {
        PENDING,
        CONFIRMED,
        REJECTED,
        FAILED,
        CANCELLED
    }

    public long getTotalCents() {
        return unitPriceCents * quantity;
    }

    public Order with(Status next) {
        return new Order(id, customer, sku, quantity, unitPriceCents, currency, next, createdAt);
    }
}
