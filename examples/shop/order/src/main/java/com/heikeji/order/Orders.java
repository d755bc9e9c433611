package com.heikeji.order;

import java.util.List;
import java.util.Optional;
import java.util.UUID;

/** Where orders are kept. */
public interface Orders {

    void insert(Order order);

    /** Whether the order was in {@code from} and is in {@code to} now: of two who ask at once, one is told so. */
    boolean move(UUID id, Order.Status from, Order.Status to);

    Optional<Order> find(UUID id);

    /** The newest first. {@code page} counts from 1. */
    List<Order> list(int page, int size);

    long count();
}
