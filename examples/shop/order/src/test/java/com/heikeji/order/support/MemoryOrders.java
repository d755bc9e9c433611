package com.heikeji.order.support;

import com.heikeji.order.Order;
import com.heikeji.order.Orders;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;

/** Orders in memory. */
public final class MemoryOrders implements Orders {

    private final Map<UUID, Order> orders = new LinkedHashMap<>();

    @Override
    public void insert(Order order) {
        orders.put(order.id(), order);
    }

    @Override
    public boolean move(UUID id, Order.Status from, Order.Status to) {
        Order order = orders.get(id);
        if (order == null || order.status() != from) {
            return false;
        }
        orders.put(id, order.with(to));
        return true;
    }

    @Override
    public Optional<Order> find(UUID id) {
        return Optional.ofNullable(orders.get(id));
    }

    @Override
    public List<Order> list(int page, int size) {
        return orders.values().stream()
                .sorted(Comparator.comparing(Order::createdAt).reversed())
                .skip((long) (page - 1) * size)
                .limit(size)
                .toList();
    }

    @Override
    public long count() {
        return orders.size();
    }
}
