import com.google.protobuf.Any;
import com.google.protobuf.Message;
import com.google.protobuf.Timestamp;
import com.google.rpc.Code;
import com.google.rpc.Status;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.grpc.Server;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.protobuf.StatusProto;
import io.grpc.stub.StreamObserver;
import io.temporal.api.common.v1.Link;
import io.temporal.api.common.v1.WorkflowExecution;
import io.temporal.api.enums.v1.IndexedValueType;
import io.temporal.api.enums.v1.WorkflowExecutionStatus;
import io.temporal.api.errordetails.v1.NotFoundFailure;
import io.temporal.api.errordetails.v1.WorkflowExecutionAlreadyStartedFailure;
import io.temporal.api.operatorservice.v1.ListSearchAttributesRequest;
import io.temporal.api.operatorservice.v1.ListSearchAttributesResponse;
import io.temporal.api.operatorservice.v1.OperatorServiceGrpc;
import io.temporal.api.workflow.v1.WorkflowExecutionInfo;
import io.temporal.api.workflowservice.v1.*;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A Temporal frontend that answers at once, or after a fixed time, and counts what it was asked.
 *
 * <p>Started as {@code java Stub.java GRPC_PORT HTTP_PORT}. It dedupes starts and signals by request id, as the server
 * does, and keeps every effect in the order of its arrival: that is the ledger. Over HTTP the driver resets it ({@code
 * /reset?delay_ms=5&open=true&stuck=stuck-}), reads its counts ({@code /counts}) and its ledger ({@code /effects}, a
 * line for each workflow id: id, arrival of the first effect in us, request ids in order).
 */
public final class Stub {
  /** What a workflow id has been through. */
  private static final class Run {
    final String runId = UUID.randomUUID().toString();
    final long arrivedUs = nowUs();
    final Set<String> requestIds = new LinkedHashSet<>(2);
  }

  /** What holds until the next reset. `open`: every workflow id has an open run. `stuck`: ids that get no answer. */
  private static final class Round {
    final ConcurrentHashMap<String, Run> runs = new ConcurrentHashMap<>();
    final AtomicLong requests = new AtomicLong();
    final AtomicLong effects = new AtomicLong();
    volatile long lastUs;
    long delayMs;
    boolean open;
    String stuck = "";
  }

  private static volatile Round round = new Round();
  private static final ScheduledExecutorService later = Executors.newScheduledThreadPool(2);
  private static final Timestamp AN_HOUR_AGO =
      Timestamp.newBuilder().setSeconds(Instant.now().getEpochSecond() - 3600).build();

  private static long nowUs() {
    Instant now = Instant.now();
    return now.getEpochSecond() * 1_000_000 + now.getNano() / 1000;
  }

  private static <T> void answer(StreamObserver<T> out, T response) {
    later(() -> {
      out.onNext(response);
      out.onCompleted();
    });
  }

  private static void refuse(StreamObserver<?> out, Code code, String text, Message detail) {
    Status status = Status.newBuilder().setCode(code.getNumber()).setMessage(text).addDetails(Any.pack(detail)).build();
    later(() -> out.onError(StatusProto.toStatusRuntimeException(status)));
  }

  private static void later(Runnable action) {
    if (round.delayMs == 0) {
      action.run();
    } else {
      later.schedule(action, round.delayMs, TimeUnit.MILLISECONDS);
    }
  }

  /** Note a request; returns whether its workflow id is one of those that get no answer. */
  private static boolean isStuck(Round now, String workflowId, StreamObserver<?> out) {
    if (!now.stuck.isEmpty() && workflowId.startsWith(now.stuck)) {
      refuse(out, Code.UNAVAILABLE, "stuck on purpose", NotFoundFailure.getDefaultInstance());
      return true;
    }
    now.requests.incrementAndGet();
    now.lastUs = nowUs();
    return false;
  }

  /** Let a request take effect on a run, once for each request id. */
  private static void take(Round now, Run run, String requestId) {
    synchronized (run) {
      if (run.requestIds.add(requestId)) {
        now.effects.incrementAndGet();
      }
    }
  }

  private static final class Workflows extends WorkflowServiceGrpc.WorkflowServiceImplBase {
    @Override
    public void getSystemInfo(GetSystemInfoRequest request, StreamObserver<GetSystemInfoResponse> out) {
      answer(out, GetSystemInfoResponse.newBuilder().setServerVersion("1.32.0").build());
    }

    @Override
    public void describeNamespace(DescribeNamespaceRequest request, StreamObserver<DescribeNamespaceResponse> out) {
      answer(out, DescribeNamespaceResponse.getDefaultInstance());
    }

    @Override
    public void startWorkflowExecution(
        StartWorkflowExecutionRequest request, StreamObserver<StartWorkflowExecutionResponse> out) {
      Round now = round;
      if (isStuck(now, request.getWorkflowId(), out)) {
        return;
      }
      Run run = now.runs.computeIfAbsent(request.getWorkflowId(), id -> new Run());
      String first;
      synchronized (run) {
        first = run.requestIds.isEmpty() ? request.getRequestId() : run.requestIds.iterator().next();
      }
      if (!first.equals(request.getRequestId())) {
        refuse(out, Code.ALREADY_EXISTS, "Workflow execution is already running.",
            WorkflowExecutionAlreadyStartedFailure.newBuilder().setRunId(run.runId).setStartRequestId(first).build());
        return;
      }
      take(now, run, request.getRequestId());
      answer(out, StartWorkflowExecutionResponse.newBuilder().setRunId(run.runId).setStarted(true).build());
    }

    @Override
    public void signalWorkflowExecution(
        SignalWorkflowExecutionRequest request, StreamObserver<SignalWorkflowExecutionResponse> out) {
      Round now = round;
      String workflowId = request.getWorkflowExecution().getWorkflowId();
      if (isStuck(now, workflowId, out)) {
        return;
      }
      Run run = now.open ? now.runs.computeIfAbsent(workflowId, id -> new Run()) : now.runs.get(workflowId);
      if (run == null) {
        refuse(out, Code.NOT_FOUND, "workflow not found", NotFoundFailure.getDefaultInstance());
        return;
      }
      take(now, run, request.getRequestId());
      Link.WorkflowEvent reached = Link.WorkflowEvent.newBuilder().setRunId(run.runId).build();
      answer(out, SignalWorkflowExecutionResponse.newBuilder()
          .setLink(Link.newBuilder().setWorkflowEvent(reached)).build());
    }

    @Override
    public void signalWithStartWorkflowExecution(
        SignalWithStartWorkflowExecutionRequest request,
        StreamObserver<SignalWithStartWorkflowExecutionResponse> out) {
      Round now = round;
      if (isStuck(now, request.getWorkflowId(), out)) {
        return;
      }
      boolean started = !now.runs.containsKey(request.getWorkflowId());
      Run run = now.runs.computeIfAbsent(request.getWorkflowId(), id -> new Run());
      take(now, run, request.getRequestId());
      answer(out, SignalWithStartWorkflowExecutionResponse.newBuilder()
          .setRunId(run.runId).setStarted(started).build());
    }

    @Override
    public void requestCancelWorkflowExecution(
        RequestCancelWorkflowExecutionRequest request,
        StreamObserver<RequestCancelWorkflowExecutionResponse> out) {
      Round now = round;
      String workflowId = request.getWorkflowExecution().getWorkflowId();
      if (!isStuck(now, workflowId, out)) {
        take(now, now.runs.computeIfAbsent(workflowId, id -> new Run()), request.getRequestId());
        answer(out, RequestCancelWorkflowExecutionResponse.getDefaultInstance());
      }
    }

    @Override
    public void describeWorkflowExecution(
        DescribeWorkflowExecutionRequest request, StreamObserver<DescribeWorkflowExecutionResponse> out) {
      Round now = round;
      String workflowId = request.getExecution().getWorkflowId();
      Run run = now.open ? now.runs.computeIfAbsent(workflowId, id -> new Run()) : now.runs.get(workflowId);
      if (run == null) {
        refuse(out, Code.NOT_FOUND, "workflow not found", NotFoundFailure.getDefaultInstance());
        return;
      }
      answer(out, DescribeWorkflowExecutionResponse.newBuilder().setWorkflowExecutionInfo(
          WorkflowExecutionInfo.newBuilder()
              .setExecution(WorkflowExecution.newBuilder().setWorkflowId(workflowId).setRunId(run.runId))
              .setFirstRunId(run.runId)
              .setStartTime(AN_HOUR_AGO)
              .setStatus(WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_RUNNING)).build());
    }

    @Override
    public void listWorkflowExecutions(
        ListWorkflowExecutionsRequest request, StreamObserver<ListWorkflowExecutionsResponse> out) {
      answer(out, ListWorkflowExecutionsResponse.getDefaultInstance());
    }
  }

  private static final class Operator extends OperatorServiceGrpc.OperatorServiceImplBase {
    @Override
    public void listSearchAttributes(
        ListSearchAttributesRequest request, StreamObserver<ListSearchAttributesResponse> out) {
      answer(out, ListSearchAttributesResponse.newBuilder()
          .putCustomAttributes("BridgeGroup", IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD)
          .putCustomAttributes("BridgeIds", IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD_LIST).build());
    }
  }

  private static void reset(HttpExchange exchange) throws IOException {
    Map<String, String> wanted = new HashMap<>();
    String query = exchange.getRequestURI().getQuery();
    for (String pair : query == null ? new String[0] : query.split("&")) {
      wanted.put(pair.substring(0, pair.indexOf('=')), pair.substring(pair.indexOf('=') + 1));
    }
    Round next = new Round();
    next.delayMs = Long.parseLong(wanted.getOrDefault("delay_ms", "0"));
    next.open = Boolean.parseBoolean(wanted.getOrDefault("open", "false"));
    next.stuck = wanted.getOrDefault("stuck", "");
    round = next;
    say(exchange, "");
  }

  private static void counts(HttpExchange exchange) throws IOException {
    Round now = round;
    say(exchange, String.format("{\"requests\": %d, \"effects\": %d, \"last_us\": %d}",
        now.requests.get(), now.effects.get(), now.lastUs));
  }

  private static void effects(HttpExchange exchange) throws IOException {
    StringBuilder text = new StringBuilder();
    round.runs.forEach((id, run) -> {
      synchronized (run) {
        text.append(id).append('\t').append(run.arrivedUs).append('\t')
            .append(String.join(",", run.requestIds)).append('\n');
      }
    });
    say(exchange, text.toString());
  }

  private static void say(HttpExchange exchange, String text) throws IOException {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    exchange.sendResponseHeaders(200, bytes.length == 0 ? -1 : bytes.length);
    try (OutputStream body = exchange.getResponseBody()) {
      body.write(bytes);
    }
  }

  public static void main(String[] arguments) throws Exception {
    Server server = NettyServerBuilder.forAddress(new InetSocketAddress("127.0.0.1", Integer.parseInt(arguments[0])))
        .directExecutor().addService(new Workflows()).addService(new Operator()).build().start();
    HttpServer http = HttpServer.create(new InetSocketAddress("127.0.0.1", Integer.parseInt(arguments[1])), 0);
    http.createContext("/reset", Stub::reset);
    http.createContext("/counts", Stub::counts);
    http.createContext("/effects", Stub::effects);
    http.start();
    System.out.println("stub frontend started");
    server.awaitTermination();
  }
}
