package com.heikeji.order.api;

import com.heikeji.order.Order;
import com.heikeji.order.OrderProperties;
import com.heikeji.order.OrderService;
import com.heikeji.order.Orders;
import com.heikeji.order.Problem;
import java.net.URI;
import java.util.List;
import java.util.UUID;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;

@RestController
@RequestMapping("/api/orders")
class OrderController {

    private final OrderService service;
    private final Orders orders;
    private final OrderProperties properties;

    OrderController(OrderService service, Orders orders, OrderProperties properties) {
        this.service = service;
        this.orders = orders;
        this.properties = properties;
    }

    record Page(List<Order> items, int page, int size, long total) {}

    @GetMapping
    Page list(@RequestParam(defaultValue = "1") int page, @RequestParam(required = false) Integer size) {
        int wanted = size == null ? properties.pageSize() : size;
        if (page < 1 || page > 1_000_000) {
            throw Problem.invalid("page must be a whole number from 1 to 1000000");
        }
        if (wanted < 1 || wanted > properties.maxPageSize()) {
            throw Problem.invalid("size must be a whole number from 1 to " + properties.maxPageSize());
        }
        return new Page(orders.list(page, wanted), page, wanted, orders.count());
    }

    @GetMapping("/{id}")
    Order get(@PathVariable UUID id) {
        return service.get(id);
    }

    @PostMapping
    ResponseEntity<Order> place(@RequestBody OrderService.Request request) {
        Order order = service.place(request);
        return ResponseEntity.created(URI.create("/api/orders/" + order.id())).body(order);
    }

    @PostMapping("/{id}/cancel")
    Order cancel(@PathVariable UUID id) {
        return service.cancel(id);
    }
}
