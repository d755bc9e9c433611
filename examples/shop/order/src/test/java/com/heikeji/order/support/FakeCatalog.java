package com.heikeji.order.support;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The catalog's part of the conversation over a real socket: stock, reservations by reference. {@code fault} makes it
 * misbehave for so many requests: an HTTP status, or 0 for a connection that is closed without an answer.
 */
public final class FakeCatalog implements AutoCloseable {

    private static final Pattern PRODUCT = Pattern.compile("/api/products/([^/]+)(/reservations)?");
    private static final Pattern RESERVATION = Pattern.compile("/api/reservations/([^/]+)");
    private static final Pattern FIELDS = Pattern.compile("\"(reference|quantity)\":\"?([\\w-]+)");

    private final HttpServer server;
    private final Map<String, Integer> stock = new ConcurrentHashMap<>();
    private final Map<String, Map.Entry<String, Integer>> reservations = new ConcurrentHashMap<>();
    public final List<String> requests = new CopyOnWriteArrayList<>();
    private int fault;
    private int faults;
    private String faultMethod;

    public FakeCatalog() {
        try {
            server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
        server.createContext("/", this::serve);
        server.setExecutor(Executors.newCachedThreadPool(work -> {
            Thread thread = new Thread(work, "fake-catalog");
            thread.setDaemon(true);
            return thread;
        }));
        server.start();
    }

    public URI url() {
        return URI.create("http://127.0.0.1:" + server.getAddress().getPort());
    }

    public synchronized void stock(String sku, int pieces) {
        stock.put(sku, pieces);
    }

    public synchronized int stock(String sku) {
        return stock.get(sku);
    }

    public synchronized void fail(String method, int status, int times) {
        faultMethod = method;
        fault = status;
        faults = times;
    }

    @Override
    public void close() {
        server.stop(0);
    }

    private synchronized void serve(HttpExchange exchange) throws IOException {
        String method = exchange.getRequestMethod();
        String path = exchange.getRequestURI().getPath();
        String body = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
        requests.add(method + " " + path);
        if (faults > 0 && method.equals(faultMethod)) {
            faults--;
            if (fault == 0) {
                exchange.close();
            } else {
                answer(exchange, fault, "{}");
            }
            return;
        }
        Matcher product = PRODUCT.matcher(path);
        Matcher reservation = RESERVATION.matcher(path);
        if (product.matches() && stock.containsKey(product.group(1))) {
            String sku = product.group(1);
            if (product.group(2) == null) {
                answer(exchange, 200, "{\"sku\":\"" + sku + "\",\"name\":\"茶\",\"priceCents\":990,\"currency\":\"CNY\",\"stock\":" + stock.get(sku) + ",\"new\":1}");
            } else {
                answer(exchange, reserve(sku, body), "{}");
            }
        } else if (reservation.matches() && method.equals("DELETE") && reservations.containsKey(reservation.group(1))) {
            Map.Entry<String, Integer> taken = reservations.remove(reservation.group(1));
            stock.merge(taken.getKey(), taken.getValue(), Integer::sum);
            answer(exchange, 204, null);
        } else {
            answer(exchange, 404, "{}");
        }
    }

    private int reserve(String sku, String body) {
        String reference = "";
        int quantity = 0;
        for (Matcher field = FIELDS.matcher(body); field.find(); ) {
            if (field.group(1).equals("reference")) {
                reference = field.group(2);
            } else {
                quantity = Integer.parseInt(field.group(2));
            }
        }
        if (reservations.containsKey(reference)) {
            return 200;
        }
        if (stock.get(sku) < quantity) {
            return 409;
        }
        stock.merge(sku, -quantity, Integer::sum);
        reservations.put(reference, Map.entry(sku, quantity));
        return 201;
    }

    private static void answer(HttpExchange exchange, int status, String body) throws IOException {
        byte[] bytes = body == null ? new byte[0] : body.getBytes(StandardCharsets.UTF_8);
        exchange.getResponseHeaders().set("Content-Type", "application/json");
        exchange.sendResponseHeaders(status, bytes.length == 0 ? -1 : bytes.length);
        exchange.getResponseBody().write(bytes);
        exchange.close();
    }
}
