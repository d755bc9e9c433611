package com.heikeji.order;

import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Timestamp;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Repository;

/** Orders in MariaDB. */
@Repository
class JdbcOrders implements Orders {

    private static final String COLUMNS = "id, customer, sku, quantity, unit_price_cents, currency, status, created_at";

    private final JdbcClient jdbc;

    JdbcOrders(JdbcClient jdbc) {
        this.jdbc = jdbc;
    }

    @Override
    public void insert(Order order) {
        jdbc.sql("INSERT INTO orders (" + COLUMNS + ") VALUES (?, ?, ?, ?, ?, ?, ?, ?)")
                .params(
                        order.id().toString(),
                        order.customer(),
                        order.sku(),
                        order.quantity(),
                        order.unitPriceCents(),
                        order.currency(),
                        order.status().name(),
                        Timestamp.from(order.createdAt()))
                .update();
    }

    @Override
    public boolean move(UUID id, Order.Status from, Order.Status to) {
        return jdbc.sql("UPDATE orders SET status = ? WHERE id = ? AND status = ?")
                        .params(to.name(), id.toString(), from.name())
                        .update()
                == 1;
    }

    @Override
    public Optional<Order> find(UUID id) {
        return jdbc.sql("SELECT " + COLUMNS + " FROM orders WHERE id = ?")
                .param(id.toString())
                .query(JdbcOrders::row)
                .optional();
    }

    @Override
    public List<Order> list(int page, int size) {
        return jdbc.sql("SELECT " + COLUMNS + " FROM orders ORDER BY created_at DESC, id LIMIT ? OFFSET ?")
                .params(size, (long) (page - 1) * size)
                .query(JdbcOrders::row)
                .list();
    }

    @Override
    public long count() {
        return jdbc.sql("SELECT COUNT(*) FROM orders").query(Long.class).single();
    }

    private static Order row(ResultSet row, int number) throws SQLException {
        return new Order(
                UUID.fromString(row.getString("id")),
                row.getString("customer"),
                row.getString("sku"),
                row.getInt("quantity"),
                row.getLong("unit_price_cents"),
                row.getString("currency"),
                Order.Status.valueOf(row.getString("status")),
                row.getTimestamp("created_at").toInstant());
    }
}
